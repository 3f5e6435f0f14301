package config

import (
	"strings"
	"testing"
)

// TestBrokenLineOfLargeFiles: the search for the line ends, with the one that yaml.v3 names. What is found
// in small files is in testdata/bad/syntax-*.
func TestBrokenLineOfLargeFiles(t *testing.T) {
	comments := strings.Repeat("#"+strings.Repeat(" long", 200)+"\n", 2000)
	_, err := testParse("f.yaml", comments+"a: \"b\"c\n"+strings.Repeat("x: y\n", 3000))
	if err == nil || !strings.HasPrefix(err.Error(), "f.yaml:2000: not valid YAML: ") {
		t.Errorf("%v", err)
	}
}
