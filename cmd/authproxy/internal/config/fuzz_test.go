package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzParse holds that nothing panics, that each fault has a place and one line of text, and that no
// message shows what came from the environment.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*.yaml")
	for _, file := range append(files, example) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	const marker = "marker-7f3a"
	env := func(string) (string, bool) { return marker + "{" + marker + "}", true }
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Contains(data, []byte(marker)) {
			t.Skip()
		}
		_, err := testParser().parse("fuzz.yaml", data, env)
		if err == nil {
			return
		}
		faults, ok := errors.AsType[Faults](err)
		if !ok || len(faults) == 0 {
			t.Fatalf("%T without faults", err)
		}
		for _, fault := range faults {
			if fault.Line < 1 || fault.What == "" || strings.Contains(fault.String(), "\n") {
				t.Errorf("%q", fault)
			}
		}
		if strings.Contains(err.Error(), marker) {
			t.Errorf("a value of the environment shows: %v", err)
		}
	})
}
