package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestDocument(t *testing.T) {
	for _, w := range workloads {
		body := document(w.body)
		if len(body) != w.body || w.body > 0 && !json.Valid(body) {
			t.Errorf("%s: %d bytes, want %d of JSON", w.name, len(body), w.body)
		}
	}
}

// TestAgainst: ratios are taken round by round, so that a slow round does not count.
func TestAgainst(t *testing.T) {
	ours := &row{Samples: []sample{{CPU: 30}, {CPU: 300}, {CPU: 33}}}
	bare := &row{Samples: []sample{{CPU: 40}, {CPU: 400}, {CPU: 30}}}
	if got := ours.against(bare); got != 0.75 {
		t.Errorf("got %v", got)
	}
	if got := ours.against(nil); got != 0 {
		t.Errorf("without bare: %v", got)
	}
}

// TestFailedRow: a row that failed shows no figure and says why.
func TestFailedRow(t *testing.T) {
	b := &bench{rows: []*row{
		{Case: "small GET", Program: "bare", Samples: []sample{{CPU: 40, PerSecond: 1000, P50: 900, P99: 1500, Memory: 12}}},
		{Case: "small GET", Program: "caddy", Failed: "12 answers were\nno success", Samples: []sample{{CPU: 12345}}},
	}}
	for _, r := range b.rows {
		r.median()
	}
	var out strings.Builder
	file{}.markdown(&out, b)
	text := out.String()
	if strings.Contains(text, "12345") || !strings.Contains(text, "**FAILED**") || !strings.Contains(text, "caddy FAILED: 12 answers were no success") {
		t.Errorf("got\n%s", text)
	}
	if !strings.Contains(text, "40.0 µs") || !strings.Contains(text, "1.50 ms") {
		t.Errorf("no figures of bare:\n%s", text)
	}
	if err := b.failure(); err == nil || !strings.Contains(err.Error(), "1 rows failed") {
		t.Errorf("failure: %v", err)
	}
}
