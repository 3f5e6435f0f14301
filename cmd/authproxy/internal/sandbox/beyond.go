package sandbox

import (
	"fmt"
	"slices"
	"strings"
)

// Beyond returns what wanted needs and granted has not: a process that was confined to
// granted cannot have it.
func Beyond(granted, wanted Needs) []string {
	has, wants := granted.confines(), wanted.confines()
	var missing []string
	for _, folder := range wants.folders {
		if !under(folder, has.folders) {
			missing = append(missing, "folder "+folder)
		}
	}
	for _, file := range wants.files {
		if !slices.Contains(has.files, file) && !under(file, has.folders) {
			missing = append(missing, "file "+file)
		}
	}
	for _, folder := range wants.write {
		if !under(folder, has.write) {
			missing = append(missing, "folder "+folder+" to write in")
		}
	}
	if has.anyPort {
		return missing
	}
	if wants.anyPort {
		missing = append(missing, "connections to any port")
	}
	for _, port := range wants.ports {
		if !slices.Contains(has.ports, port) {
			missing = append(missing, fmt.Sprintf("connections to port %d", port))
		}
	}
	return missing
}

// under tells whether path is one of folders, or in one.
func under(path string, folders []string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
	})
}
