package proxy

import (
	"net/http"
	"testing"
)

func TestTrace(t *testing.T) {
	const id, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for text, want := range map[string]string{
		"00-" + id + "-" + parent + "-01":                         id + " true",
		"00-" + id + "-" + parent + "-00":                         id + " false",
		"00-" + id + "-" + parent + "-03":                         id + " true",
		"cc-" + id + "-" + parent + "-01-what-it-adds":            id + " true",
		"cc-" + id + "-" + parent + "-01":                         id + " true",
		"00-" + id + "-" + parent + "-01-more":                    " false",
		"cc-" + id + "-" + parent + "-01more":                     " false",
		"ff-" + id + "-" + parent + "-01":                         " false",
		"00-0AF7651916CD43DD8448EB211C80319C-" + parent + "-01":   " false",
		"00-00000000000000000000000000000000-" + parent + "-01":   " false",
		"00-" + id + "-0000000000000000-01":                       " false",
		"00-" + id + "-" + parent + "-1g":                         " false",
		"00-" + id[:31] + "é" + "-" + parent + "-01":              " false",
		"00-" + id + "-" + parent:                                 " false",
		"00_" + id + "_" + parent + "_01":                         " false",
		"":                                                        " false",
		"00-" + id + "-" + parent + "-\n1":                        " false",
		"00-0af7651916cd43dd8448eb211c80319c" + parent + "--01-1": " false",
	} {
		r := &Record{Request: &http.Request{Header: http.Header{"Traceparent": {text}}}}
		got, sampled := r.Trace()
		if got += map[bool]string{true: " true", false: " false"}[sampled]; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	one := "00-" + id + "-" + parent + "-01"
	for _, r := range []*Record{{}, {Request: &http.Request{}}, {Request: &http.Request{Header: http.Header{"Traceparent": {one, one}}}}} {
		if got, sampled := r.Trace(); got != "" || sampled {
			t.Errorf("%q, %v", got, sampled)
		}
	}
}

// FuzzTrace: whatever a client sends, what is taken for an id is one.
func FuzzTrace(f *testing.F) {
	f.Add("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	f.Add("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x")
	f.Fuzz(func(t *testing.T, text string) {
		if id, sampled := parseTrace(text); id != "" && (len(id) != 32 || !isHex(id)) || id == "" && sampled {
			t.Errorf("%q: %q, %v", text, id, sampled)
		}
	})
}
