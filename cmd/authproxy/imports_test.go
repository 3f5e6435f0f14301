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
	const internal = module + "cmd/authproxy/internal/"
	within := func(path, room string) bool { return path == room || strings.HasPrefix(path, room+"/") }
	rules := []struct {
		from, to string // rooms, with all below them
		why      string
	}{
		{module + "tokencache", module + "proxy", "the pillars do not know each other"},
		{module + "proxy", module + "tokencache", "the pillars do not know each other"},
		{module + "tokencache", module + "cmd", "a pillar does not know the program"},
		{module + "proxy", module + "cmd", "a pillar does not know the program"},
		{module + "proxy/internal", module + "proxy/door", "a room of the proxy does not know the door"},
		{module + "internal", "authproxy", "what both pillars share knows nothing of ours"},
		{internal + "dial", module + "proxy", "a transport does not know who sends by it"},
		{internal + "dial", module + "tokencache", "a transport does not know who sends by it"},
		{internal + "config", "authproxy", "config knows nothing of ours"},
		{internal + "admin", "authproxy", "admin knows nothing of ours"},
		{internal + "metrics", internal + "config", "metrics knows only the records of the pillars"},
		{internal + "metrics", internal + "admin", "metrics knows only the records of the pillars"},
		{internal + "metrics", module + "tokencache/endpoint", "metrics knows only the records of the pillars"},
		{internal + "metrics", module + "proxy/platformtest", "metrics knows only the records of the pillars"},
	}
	rooms := func(path string) bool { return within(path, module+"proxy/internal") }
	for _, arrow := range arrows(t) {
		from, to, _ := strings.Cut(arrow, " -> ")
		if to == module+"proxy" && rooms(from) || from == module+"proxy" && to == module+"proxy/door" {
			t.Errorf("%s: proxy knows its rooms, and the door knows proxy, not the other way round", arrow)
		}
		for _, rule := range rules {
			if within(from, rule.from) && within(to, rule.to) {
				t.Errorf("%s: %s", arrow, rule.why)
			}
		}
	}
}
