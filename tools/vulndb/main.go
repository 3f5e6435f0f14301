// Command vulndb makes a database for govulncheck -db from the advisories of the Go
// project, for machines that do not reach vuln.go.dev: from the newest
// golang.org/x/vulndb that the module proxy has, or else from the copy that is kept here.
// It says on standard output of which day they are.
//
//	go run -C tools ./vulndb -out FOLDER     makes the database
//	go run -C tools ./vulndb -keep           renews the copy, from the newest module
//
// The copy holds the advisories on Go itself from 1.26 on and on the modules of this
// project.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// kept is the copy, from the folder tools.
const kept = "vulndb/advisories.json"

// old is how old advisories may be without a loud word.
const old = 60 * 24 * time.Hour

// advisories are some, and of which day.
type advisories struct {
	Day  string            `json:"day"` // YYYY-MM-DD
	List []json.RawMessage `json:"advisories"`
	from string
}

// entry is what is looked at of an advisory (OSV, https://ossf.github.io/osv-schema/).
type entry struct {
	ID       string   `json:"id"`
	Modified string   `json:"modified"`
	Aliases  []string `json:"aliases,omitempty"`
	Affected []struct {
		Package struct{ Name string }
		Ranges  []struct{ Events []struct{ Fixed string } }
	}
}

func main() {
	out := flag.String("out", "", "`FOLDER` to make the database in")
	keep := flag.Bool("keep", false, "renew the copy")
	flag.Parse()
	if err := run(*out, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "vulndb:", err)
		os.Exit(1)
	}
}

func run(out string, keep bool) error {
	all, err := newest()
	switch {
	case err != nil && keep:
		return err
	case err != nil:
		if all, err = copied(); err != nil {
			return err
		}
	}
	fmt.Printf("%d advisories of %s, from %s\n", len(all.List), all.Day, all.from)
	if day, err := time.Parse(time.DateOnly, all.Day); err != nil || time.Since(day) > old {
		fmt.Printf("WARNING: these advisories are old; renew the copy with: go run -C tools ./vulndb -keep\n")
	}
	if keep {
		return all.keep()
	}
	return all.write(out)
}

// newest returns the advisories of the newest module that the proxy has.
func newest() (advisories, error) {
	cmd := exec.Command("go", "mod", "download", "-json", "golang.org/x/vulndb@latest")
	cmd.Dir = os.TempDir() // outside of a module, whose go.sum it would change
	text, err := cmd.Output()
	if err != nil {
		return advisories{}, fmt.Errorf("the module golang.org/x/vulndb cannot be had: %w", err)
	}
	var module struct{ Dir, Version string }
	if err := json.Unmarshal(text, &module); err != nil {
		return advisories{}, err
	}
	stamp := regexp.MustCompile(`-(\d{4})(\d{2})(\d{2})\d{6}-`).FindStringSubmatch(module.Version)
	if stamp == nil {
		return advisories{}, fmt.Errorf("%s has no date", module.Version)
	}
	all := advisories{Day: strings.Join(stamp[1:], "-"), from: "golang.org/x/vulndb@" + module.Version}
	files, err := filepath.Glob(filepath.Join(module.Dir, "data", "osv", "GO-*.json"))
	if err != nil || len(files) == 0 {
		return advisories{}, fmt.Errorf("no advisories in %s", module.Dir)
	}
	for _, file := range files {
		one, err := os.ReadFile(file)
		if err != nil {
			return advisories{}, err
		}
		all.List = append(all.List, one)
	}
	return all, nil
}

func copied() (advisories, error) {
	all := advisories{from: "the copy in tools/" + kept}
	text, err := os.ReadFile(kept)
	if err != nil {
		return all, err
	}
	return all, json.Unmarshal(text, &all)
}

// keep writes the copy.
func (a advisories) keep() error {
	modules, err := ourModules()
	if err != nil {
		return err
	}
	a.List = slices.DeleteFunc(a.List, func(text json.RawMessage) bool {
		var e entry
		return json.Unmarshal(text, &e) != nil || !e.concerns(modules)
	})
	fmt.Printf("%d of them are kept\n", len(a.List))
	text, err := json.MarshalIndent(a, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(kept, append(text, '\n'), 0o644)
}

// ourModules are those that the module around this one may build with.
func ourModules() ([]string, error) {
	cmd := exec.Command("go", "list", "-m", "-f", "{{.Path}}", "all")
	cmd.Dir = ".."
	text, err := cmd.Output()
	return strings.Fields(string(text)), err
}

// fixedLater are the releases of Go from the first one on that this project builds with.
var fixedLater = regexp.MustCompile(`^1\.(2[6-9]|[3-9]\d)\.`)

func (e entry) concerns(modules []string) bool {
	for _, a := range e.Affected {
		if slices.Contains(modules, a.Package.Name) {
			return true
		}
		if a.Package.Name != "stdlib" && a.Package.Name != "toolchain" {
			continue
		}
		for _, r := range a.Ranges {
			if !slices.ContainsFunc(r.Events, func(ev struct{ Fixed string }) bool { return ev.Fixed != "" }) {
				return true // not fixed at all
			}
			for _, event := range r.Events {
				if fixedLater.MatchString(event.Fixed) {
					return true
				}
			}
		}
	}
	return false
}

// fixed is the release that ends an advisory on one module; the last of several.
type fixed struct {
	ID       string `json:"id"`
	Modified string `json:"modified"`
	Fixed    string `json:"fixed,omitempty"`
}

// module is one in the index.
type module struct {
	Path  string  `json:"path"`
	Vulns []fixed `json:"vulns"`
}

// write makes the database in folder, as https://go.dev/doc/security/vuln/database says.
func (a advisories) write(folder string) error {
	modules := map[string]*module{}
	var vulns []entry
	now := time.Now().UTC().Format(time.RFC3339)
	for _, text := range a.List {
		var e entry
		if err := json.Unmarshal(text, &e); err != nil {
			return err
		}
		if err := put(folder, "ID/"+e.ID, text); err != nil {
			return err
		}
		e.Modified = now
		e.index(modules)
		e.Affected = nil
		vulns = append(vulns, e)
	}
	var list []*module
	for _, m := range modules {
		list = append(list, m)
	}
	slices.SortFunc(list, func(a, b *module) int { return strings.Compare(a.Path, b.Path) })
	for name, value := range map[string]any{"index/db": map[string]string{"modified": now}, "index/modules": list, "index/vulns": vulns} {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		if err := put(folder, name, text); err != nil {
			return err
		}
	}
	return nil
}

// index adds e to the modules that it is about.
func (e entry) index(modules map[string]*module) {
	for _, affected := range e.Affected {
		m := modules[affected.Package.Name]
		if m == nil {
			m = &module{Path: affected.Package.Name}
			modules[m.Path] = m
		}
		f := fixed{ID: e.ID, Modified: e.Modified}
		for _, r := range affected.Ranges {
			for _, event := range r.Events {
				f.Fixed = event.Fixed
			}
		}
		m.Vulns = append(m.Vulns, f)
	}
}

func put(folder, name string, text []byte) error {
	file := filepath.Join(folder, filepath.FromSlash(name)+".json")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}
