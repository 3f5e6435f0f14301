package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "authproxy/"

// arrows returns a line "from -> to" for each import of a package of ours by
// another, tests left out, sorted.
func arrows(t *testing.T) []string {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...")
	var stderr bytes.Buffer
	list.Stderr = &stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, &stderr)
	}
	var all []string
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, to := range p.Imports {
			if strings.HasPrefix(to, module) {
				all = append(all, fmt.Sprintf("%s -> %s", p.ImportPath, to))
			}
		}
	}
	slices.Sort(all)
	return all
}

// TestNothingForTestsIsBuiltIn: what imports testing stays out of the program.
func TestNothingForTestsIsBuiltIn(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", module+"cmd/authproxy").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	built := strings.Fields(string(out))
	if !slices.Contains(built, module+"proxy") || slices.Contains(built, "testing") {
		t.Errorf("built from %v", built)
	}
}

// TestImportArrows: a new arrow between two packages shows in review, as a new
// line of the golden file.
func TestImportArrows(t *testing.T) {
	const golden = "testdata/imports.golden"
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(arrows(t), "\n") + "\n"
	if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("the imports are not those of %s; if that is meant, it has to read:\n%s", golden, got)
	}
}

// TestWalls: the rules that no golden file may be changed to break.
func TestWalls(t *testing.T) {
	const rooms, anything = module + "cmd/authproxy/internal/", "authproxy"
	within := func(path, room string) bool { return path == room || strings.HasPrefix(path, room+"/") }
	rules := []struct {
		from, to string // rooms, with all below them
		but      []string
		why      string
	}{
		{module + "tokencache", module + "proxy", nil, "the pillars do not know each other"},
		{module + "proxy", module + "tokencache", nil, "the pillars do not know each other"},
		{module + "tokencache", module + "cmd", nil, "a pillar does not know the program"},
		{module + "proxy", module + "cmd", nil, "a pillar does not know the program"},
		{module + "internal", anything, []string{module + "internal/printable"}, "what both pillars share knows nothing of ours"},
		{module + "proxy/internal", module + "proxy", []string{module + "proxy/internal"}, "the inner rooms do not know the one around them"},
		{module + "proxy", module + "proxy/door", nil, "the door knows the proxy, not the other way round"},
		{module + "tokencache/shared", anything, []string{module + "tokencache"}, "who shares tokens knows neither how they are asked for nor where they are kept"},
		{module + "tokencache/shared", module + "tokencache/endpoint", nil, "who shares tokens does not know how they are asked for"},
		{module + "tokencache/endpoint", module + "tokencache/shared", nil, "who asks for tokens does not know that they are shared"},
		{module + "tokencache/filestore", anything, []string{module + "tokencache/shared"}, "a store keeps bytes"},
		{module + "tokencache/redisstore", anything, []string{module + "tokencache/shared"}, "a store keeps bytes"},
		{rooms + "config", anything, []string{rooms + "config/tree", module + "internal"}, "config knows no room"},
		{rooms + "config/tree", anything, nil, "tree knows no key of ours"},
		{rooms + "admin", anything, []string{module + "internal"}, "admin knows nothing of ours"},
		{rooms + "follow", anything, nil, "follow knows nothing of ours"},
		{rooms + "sandbox", anything, []string{rooms + "follow"}, "the sandbox takes what is needed as values"},
		{rooms + "listen", anything, []string{module + "internal"}, "sockets know nothing of who is served on them"},
		{rooms + "dial", anything, []string{module + "internal"}, "transports know nothing of who sends through them"},
		{rooms + "logs", module + "cmd", nil, "the log knows only the records of the pillars"},
		{rooms + "metrics", module + "cmd", nil, "metrics knows only the records of the pillars"},
		{rooms + "metrics", module + "tokencache/endpoint", nil, "metrics knows only the records of the pillars"},
	}
	for _, arrow := range arrows(t) {
		from, to, _ := strings.Cut(arrow, " -> ")
		for _, rule := range rules {
			known := slices.ContainsFunc(rule.but, func(room string) bool { return within(to, room) })
			if within(from, rule.from) && within(to, rule.to) && !known {
				t.Errorf("%s: %s", arrow, rule.why)
			}
		}
		if within(to, rooms+"server") && from != module+"cmd/authproxy" {
			t.Errorf("%s: only main starts a server", arrow)
		}
	}
}
