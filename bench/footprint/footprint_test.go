package main

import "testing"

func TestGrown(t *testing.T) {
	for name, c := range map[string]struct {
		last state
		grew bool
	}{
		"flat":          {state{1000, 21, 40}, false},
		"less":          {state{1000, 18, 30}, false},
		"more memory":   {state{1000, 60, 40}, true},
		"more files":    {state{1000, 20, 100}, true},
		"a little more": {state{1000, 28, 60}, false},
	} {
		if err := grown([]state{{100, 20, 40}, {500, 90, 90}, c.last}); (err != nil) != c.grew {
			t.Errorf("%s: %v", name, err)
		}
	}
	if grown([]state{{100, 20, 40}}) == nil {
		t.Error("one state shows nothing")
	}
}
