package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// AdminListen reads nothing but admin.listen from the file at path, as Load does; "" means that there
// is no admin listener. What else is wrong with the file, or with the files it names, is no matter: a
// program that runs may be asked for its health while one of its secrets is replaced. Whether other
// machines may connect is no matter either. The error is that of Load.
func AdminListen(path string) (Address, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("configuration: %w", err)
	}
	return adminListen(path, data, filepath.Dir(path), os.LookupEnv)
}

// LogFormat reads nothing but log.format from the file at path; text when that cannot be read. A program
// that cannot start says so in the format that it would have written.
func LogFormat(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return "text"
	}
	var faults tree.Faults
	root := tree.Read(path, data, os.LookupEnv, &faults)
	if at := root.Get("log").Get("format"); at != nil && at.Text == "json" {
		return "json"
	}
	return "text"
}

func adminListen(name string, data []byte, dir string, env func(string) (string, bool)) (Address, error) {
	p := &parser{dir: dir}
	root := tree.Read(name, data, env, &p.faults)
	p.faults = slices.DeleteFunc(p.faults, func(f Fault) bool {
		return f.Path != "" && f.Path != "admin" && f.Path != "admin.listen"
	})
	var listen Address
	if root != nil && p.faults.IsMapping(root) && p.faults.IsMapping(root.Child("admin")) {
		if at := adminNode(root); !at.Blank() {
			listen = p.address(at, forOperators(true))
		}
	}
	if len(p.faults) > 0 {
		return "", p.faults.Sorted()
	}
	return listen, nil
}
