package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestOneGo: all modules admit the same Go, the image is built with the one that go.mod asks for, and no
// image is the newest of the day.
func TestOneGo(t *testing.T) {
	line := func(name, pattern string) string {
		m := regexp.MustCompile(pattern).FindStringSubmatch(repoFile(t, name))
		if m == nil {
			t.Errorf("%s has no %s", name, pattern)
			return ""
		}
		return m[1]
	}
	least := line("go.mod", `(?m)^go (\d+\.\d+\.\d+)$`)
	for _, module := range []string{"tools/go.mod", "bench/oauth2proxy/go.mod", "cmd/authproxy/testdata/interop/go.mod"} {
		if got := line(module, `(?m)^go (\S+)$`); got != least {
			t.Errorf("%s admits Go %s, go.mod %s", module, got, least)
		}
	}
	wanted := line("go.mod", `(?m)^toolchain go(\S+)$`)
	if got := line("Dockerfile", `(?m)^ARG GO_IMAGE=golang:(\S+)$`); got != wanted {
		t.Errorf("the image is built with Go %s, go.mod asks for %s", got, wanted)
	}
	for _, name := range []string{"Dockerfile", "deploy/compose.yaml", "deploy/kubernetes.yaml"} {
		for _, m := range regexp.MustCompile(`(?m)^\s*(?:image:|FROM) +(.*)$`).FindAllStringSubmatch(repoFile(t, name), -1) {
			if image, ours, _ := strings.Cut(m[1], "#"); strings.Contains(image, ":latest") && !strings.Contains(ours, "yours") {
				t.Errorf("%s: %s", name, m[1])
			}
		}
	}
}
