package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDrafts: what is to be begun with is right as it is for every preset, and warned of is what is to be
// filled in, and nothing else.
func TestDrafts(t *testing.T) {
	for _, preset := range append(Presets(), "") {
		for _, inFiles := range []bool{true, false} {
			d, err := NewDraft(preset, inFiles, testWords())
			if err != nil {
				t.Fatalf("%s: %v", preset, err)
			}
			dir := t.TempDir()
			for _, s := range d.Secrets {
				if (s.File != "") != inFiles || (s.Variable != "") == inFiles {
					t.Errorf("%s: %+v", preset, s)
				}
				writeFile(t, filepath.Join(dir, s.File), s.Value, inFiles)
			}
			cfg, err := Parse("draft.yaml", []byte(d.Text), dir, func(string) (string, bool) { return "", false }, testWords())
			if err != nil {
				t.Errorf("%s: %v\n%s", preset, err, d.Text)
				continue
			}
			got := strings.Join(cfg.Warnings, "\n")
			if n := strings.Count(got, toFillIn); n != len(d.FillIn)+len(d.Secrets) {
				t.Errorf("%s: %d values to fill in, of %q and %+v\n%s", preset, n, d.FillIn, d.Secrets, got)
			}
			for _, key := range d.FillIn {
				if !strings.Contains(got, "."+key+": "+toFillIn) {
					t.Errorf("%s: %s is not warned of\n%s", preset, key, got)
				}
			}
		}
	}
	if _, err := NewDraft("wda", true, testWords()); err == nil || !strings.Contains(err.Error(), "did you mean weda?") {
		t.Errorf("%v", err)
	}
}

func writeFile(t *testing.T, path, text string, really bool) {
	if !really {
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
