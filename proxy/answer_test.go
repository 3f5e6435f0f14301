package proxy

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCodes: clients rely on them. None is answered 200, which would be taken
// for the upstream's good answer, nor 401, for which some throw their data away.
func TestCodes(t *testing.T) {
	want := map[Code]int{
		"token_unavailable": 503, "token_timeout": 504, "upstream_unreachable": 502, "upstream_timeout": 504, "no_route": 404,
		"host_not_allowed": 421, "cross_site": 403, "not_allowed": 403, "ambiguous_path": 400, "method_not_supported": 405,
		"caller_unknown": 403, "overloaded": 503, "shutting_down": 503,
	}
	if got := slices.Sorted(slices.Values(Codes())); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
		t.Errorf("the codes are %q", got)
	}
	for code, status := range want {
		w := httptest.NewRecorder()
		answer(w, code, "up", `"<what> to do"`, time.Millisecond)
		const body = `"message":"\"<what> to do\"","upstream":"up"}}`
		if w.Code != status || w.Header().Get("X-Authproxy-Error") != string(code) || w.Header().Get("Content-Type") != "application/json" ||
			strings.TrimSpace(w.Body.String()) != `{"error":{"code":"`+string(code)+`",`+body || w.Header().Get("Retry-After") != "1" {
			t.Errorf("%s: %d, want %d; %v %s", code, w.Code, status, w.Header(), w.Body)
		}
	}
}

func TestCORSOfTheUpstream(t *testing.T) {
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Expose-Headers", "X")
	}), func(o *Options) { o.Origins = []string{"http://good.example"} })
	for origin, want := range map[string]string{"": "", "http://evil.example": "", "http://good.example": "*"} {
		req, _ := http.NewRequest("GET", f.URL, nil)
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		resp, _, _ := f.call(t, req)
		if got := resp.Header.Get("Access-Control-Allow-Origin"); got != want || (want == "") != (resp.Header.Get("Access-Control-Expose-Headers") == "") {
			t.Errorf("for %q: %v", origin, resp.Header)
		}
	}
}
