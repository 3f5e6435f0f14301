package proxy

import (
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestTokenInTheQueryDoesNotComeBack: servers that redirect repeat the query
// that they got, and neither the client nor the host it is sent to is to get
// the token.
func TestTokenInTheQueryDoesNotComeBack(t *testing.T) {
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Location", r.URL.String())
		w.Header().Set("Link", fmt.Sprintf("<%s>; rel=\"next\", <https://elsewhere.example/?%s&page=2>; rel=\"last\"", r.URL, r.URL.RawQuery))
		w.Header().Set("Refresh", "5; url="+r.URL.String())
		w.Header().Set("Set-Cookie", "back="+url.QueryEscape(r.URL.String())+"; Path=/")
		w.WriteHeader(http.StatusEarlyHints)
		http.Redirect(w, r, "https://elsewhere.example/x?"+r.URL.RawQuery+"#end", http.StatusFound)
	}), place(newInQuery("access_token")))
	hints := ""
	req, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(_ int, h textproto.MIMEHeader) error { hints = fmt.Sprint(h); return nil },
	}), "GET", f.URL+"/a?x=1;y&access_token=mine&z", nil)
	resp, _, rec := f.call(t, req)
	if !strings.Contains(hints, "Link") || strings.Contains(hints, "t1") {
		t.Errorf("before the answer came %s", hints)
	}
	for name, want := range map[string]string{
		"Location": "https://elsewhere.example/x?x=1;y&z#end", "Content-Location": "/a?x=1;y&z", "Refresh": "5; url=/a?x=1;y&z",
		"Link": "</a?x=1;y&z>; rel=\"next\", <https://elsewhere.example/?x=1;y&z&page=2>; rel=\"last\"",
	} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if strings.Contains(fmt.Sprint(resp.Header), "t1") || rec.Status != http.StatusFound {
		t.Errorf("%+v, recorded %+v", resp.Header, rec)
	}
}

// TestHintsOfBothTriesAreRedacted: each try has a token of its own.
func TestHintsOfBothTriesAreRedacted(t *testing.T) {
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "<"+r.URL.String()+">")
		w.WriteHeader(http.StatusEarlyHints)
		if r.URL.Query().Get("access_token") == "t1" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}), place(newInQuery("access_token")))
	var hints []string
	req, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(_ int, h textproto.MIMEHeader) error { hints = append(hints, h.Get("Link")); return nil },
	}), "GET", f.URL+"/a?x=1", nil)
	resp, _, rec := f.call(t, req)
	if !slices.Equal(hints, []string{"</a?x=1>", "</a?x=1>"}) || resp.Header.Get("Link") != "</a?x=1>" || rec.Outcome != OutcomeRecovered {
		t.Errorf("%q, then %v; recorded %+v", hints, resp.Header, rec)
	}
}

func TestRedact(t *testing.T) {
	q := newInQuery("t")
	for text, want := range map[string]string{
		"/a?t=a%2Bb": "/a", "/a?t=a%2bb&x=1": "/a?x=1", "/a?x=1&t=a%2Bb": "/a?x=1", "/a?x=1&t=a%2Bb#f": "/a?x=1#f", "/?t=a%2Bb;x": "/?x", "/#t=a%2Bb&x": "/#x",
		"/?t=a%2Bb&t=a%2Bb&t=a%2Bb": "/", "/?tt=a%2Bb&x=a%2Bb": "/?tt=a%2Bb&x=a%2Bb", "/?t=other": "/?t=other", "/?t=a%2Bbc": "/?t=a%2Bbc",
		"/t=a%2Bb": "/t=a%2Bb", "": "", "?t=": "?t=", "?t=%zz": "?t=%zz", "a b?t=a%2Bb c": "a b c", `"/?t=a%2Bb"`: `"/"`,
	} {
		if got := q.redact(text, "a+b"); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestRedactNested(t *testing.T) {
	q := newInQuery("t")
	for text, want := range map[string]string{
		"/login?next=%2Fa%3Ft%3Da%252Bb": "/login?next=%2Fa%3Ft%3D", "/login?next=%2fa%3ft%3da%2bb": "/login?next=%2fa%3ft%3d", "/?n=%3Ft%3Da%252Bb%26x%3D1&y": "/?n=%3Ft%3D%26x%3D1&y",
		"/?n=%253Ft%253Da%25252Bb%2526x": "/?n=%253Ft%253D%2526x", "/?n=%3Ft%3Da+b&y": "/?n=%3Ft%3D&y", "/?n=t%3Da%2Bb%26t%3Da%2Bb": "/?n=t%3D%26t%3D",
		"/?n=%3Ft%3Dother": "/?n=%3Ft%3Dother", "/?n=%3Ft%3Da%2Bbc": "/?n=%3Ft%3Da%2Bbc", "/?n=%3Ft%3Da%2": "/?n=%3Ft%3Da%2", "/?n=t%3D": "/?n=t%3D", "%3D": "%3D", "": "",
	} {
		if got := q.redactNested(text, "a+b"); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
