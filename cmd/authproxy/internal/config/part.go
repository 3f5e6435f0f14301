package config

import (
	"os"
	"slices"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// Here is read a part of a configuration, whatever else is wrong with it.

// AdminListen reads nothing but admin.listen from data, the file name in dir, as Load does; "" means that
// there is no admin listener. What else is wrong with the file, or with the files it names, is no matter: a
// program that runs may be asked for its health while one of its secrets is replaced. Whether other
// machines may connect is no matter either. The error is that of Load.
func AdminListen(name string, data []byte, dir string) (Address, error) {
	return adminListen(name, data, dir, os.LookupEnv)
}

// LogFormat reads nothing but log.format from data; text when that cannot be read. A program that cannot
// start says so in the format that it would have written.
func LogFormat(data []byte) string {
	var faults tree.Faults
	root := tree.Read("", data, os.LookupEnv, &faults)
	if at := root.Get("log").Get("format"); at != nil && at.Text == "json" {
		return "json"
	}
	return "text"
}

// TokenNames reads nothing but the names of the tokens in data.
func TokenNames(data []byte) []string {
	var faults tree.Faults
	root := tree.Read("", data, os.LookupEnv, &faults)
	var names []string
	if tokens := root.Get("tokens"); tokens != nil {
		for _, e := range tokens.Entries {
			names = append(names, e.Name)
		}
	}
	return names
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
