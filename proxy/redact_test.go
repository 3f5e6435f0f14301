package proxy

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
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

// TestRedactionIsLinear: a megabyte of what is hardest to read takes a moment.
func TestRedactionIsLinear(t *testing.T) {
	token := strings.Repeat("a", 1000) + "b"
	for name, unit := range map[string]string{
		"the token": token + " ", "parameters": "?t=", "parameters with it": "?t=" + token, "nested": "t%3D" + token[:500],
		"its beginning": "a", "percent signs": "%25", "percent": "%",
	} {
		value := strings.Repeat(unit, 1<<20/len(unit))
		h := http.Header{"X": {value}}
		done := make(chan struct{})
		go func() { defer close(done); newInQuery("t").Redact(h, Token{Value: token}) }()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: a megabyte takes longer than 20 s", name)
		}
		if strings.Contains(h["X"][0], token) {
			t.Errorf("%s: the token is left", name)
		}
	}
}

// TestTokenDoesNotComeBack, wherever it goes out: not in a field of a 1xx, of the
// header or of a trailer, and not in the body of a refusal.
func TestTokenDoesNotComeBack(t *testing.T) {
	inHeader, _ := InHeader("X-Token", "")
	for name, where := range map[string]Authorizer{"header": bearer(), "bare header": inHeader, "query": newInQuery("access_token")} {
		for _, chunked := range []bool{true, false} {
			f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				token := r.Header.Get("X-Token") + strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ") + r.URL.Query().Get("access_token")
				w.Header().Set("X-Echo", "got "+token)
				w.WriteHeader(http.StatusEarlyHints)
				w.Header().Set("WWW-Authenticate", `Bearer error_description="expired: `+token+`"`)
				if chunked {
					w.Header().Set("Trailer", "X-End")
				}
				w.WriteHeader(401)
				_, _ = io.WriteString(w, `{"error_description":"Access token expired: `+token+`"}`)
				w.Header().Set("X-End", token)
				w.Header().Set(http.TrailerPrefix+"X-More", token)
			}), place(where))
			hints := ""
			req, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
				Got1xxResponse: func(_ int, h textproto.MIMEHeader) error { hints += fmt.Sprint(h); return nil },
			}), "GET", f.URL+"/a", nil)
			resp, body, rec := f.call(t, req)
			all := hints + fmt.Sprint(resp.Header, resp.Trailer) + body
			if strings.Contains(all, "t1") || strings.Contains(all, "t2") || rec.Outcome != OutcomeStillRefused ||
				!strings.Contains(hints, "got ***") || body != `{"error_description":"Access token expired: **"}` {
				t.Errorf("%s, chunked %v: %s; recorded %+v", name, chunked, all, rec)
			}
		}
	}
}

// TestTokenInABodyThatRefuses, under whatever label and in whatever escapes, does not
// come back; also when it says that another token would not do.
func TestTokenInABodyThatRefuses(t *testing.T) {
	for _, label := range []string{"", "identity", "utf-8", "none", "gzip"} {
		for _, c := range []struct {
			status    int
			challenge string
		}{{401, "Bearer"}, {401, `Bearer error="insufficient_scope"`}, {403, `Bearer error="insufficient_scope"`}, {403, ""}} {
			f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n := r.Header.Get("Authorization")[len("Bearer t"):]
				if label != "" {
					w.Header().Set("Content-Encoding", label)
				}
				w.Header().Set("WWW-Authenticate", c.challenge)
				w.Header().Set("X-Echo", `{"t":"\u0074`+n+`"}`)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, `{"a":"t`+n+`","b":"\u0074`+n+`","c":"%74`+n+`","d":"&#116;`+n+`"}`)
			}), nil)
			req, _ := http.NewRequest("GET", f.URL+"/a", nil)
			req.Header.Set("Accept-Encoding", "identity") // net/http else undoes gzip
			resp, body, _ := f.call(t, req)
			if want := `{"a":"**","b":"*******","c":"****","d":"*******"}`; body != want || resp.Header.Get("X-Echo") != `{"t":"***"}` {
				t.Errorf("%s, %+v: %s, %v", label, c, body, resp.Header)
			}
		}
	}
}

// TestTrailersAndHintsAreFilteredLikeHeaders.
func TestTrailersAndHintsAreFilteredLikeHeaders(t *testing.T) {
	fields := []string{"Set-Cookie", "Alt-Svc", "Strict-Transport-Security", "Access-Control-Allow-Origin", "X-Authproxy-Error"}
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, name := range fields {
			w.Header().Set(name, "1")
		}
		w.Header().Set("X-Passes", "1")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Set("Trailer", "Set-Cookie, X-Passes, Alt-Svc")
		w.WriteHeader(200)
		_, _ = io.WriteString(w, "body")
		for _, name := range append(fields, "X-Passes2") {
			w.Header().Set(http.TrailerPrefix+name, "2")
		}
		w.Header().Set("X-Passes", "2")
	}), func(o *Options) { o.Headers.DropResponse = []string{"Set-Cookie"} })
	var hints textproto.MIMEHeader
	req, _ := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(_ int, h textproto.MIMEHeader) error { hints = h; return nil },
	}), "GET", f.URL+"/a", nil)
	resp, _, _ := f.call(t, req)
	for _, name := range fields {
		name = http.CanonicalHeaderKey(name)
		if len(hints[name])+len(resp.Header[name])+len(resp.Trailer[name]) > 0 {
			t.Errorf("%s passed: %v, %v, %v", name, hints[name], resp.Header[name], resp.Trailer[name])
		}
	}
	if hints.Get("X-Passes") == "" || resp.Trailer.Get("X-Passes") != "2" || resp.Trailer.Get("X-Passes2") != "2" {
		t.Errorf("%v, %v", hints, resp.Trailer)
	}
}

// TestNoHintsToHTTP10: such a client would take the first status for the answer.
func TestNoHintsToHTTP10(t *testing.T) {
	f := newFront(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, "body")
	}), nil)
	conn, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
	if answer, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.0 200") {
		t.Errorf("%q, %v", answer, err)
	}
}
