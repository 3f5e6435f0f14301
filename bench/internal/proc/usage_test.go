package proc

import "testing"

func TestParents(t *testing.T) {
	for _, c := range []struct {
		stat        string
		pid, parent int
		ok          bool
	}{
		{"17 (nginx) S 3 17 17 0 -1", 17, 3, true},
		{"17 (a) R (b c) S 4 17", 17, 4, true},
		{"17 (nginx)", 0, 0, false},
		{"", 0, 0, false},
	} {
		pid, parent, ok := parents(c.stat)
		if ok != c.ok || ok && (pid != c.pid || parent != c.parent) {
			t.Errorf("%q: %d, %d, %v", c.stat, pid, parent, ok)
		}
	}
}

func TestListener(t *testing.T) {
	l := &listener{found: make(chan string, 1)}
	for _, piece := range []string{"listening on http://127.0.", "0.1:80", "80/ for ever\n", "http://127.0.0.1:9/\n"} {
		if n, err := l.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	if got := <-l.found; got != "http://127.0.0.1:8080/" {
		t.Errorf("found %q", got)
	}
}
