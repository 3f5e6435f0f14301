package endpoint

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"authproxy/internal/httpsyntax"
	"authproxy/internal/template"
	"authproxy/tokencache"
)

func netError(text string) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: text, Name: text}}
}

func FuzzAnswer(f *testing.F) {
	f.Add(200, "application/json", "", "", `{"access_token":"abc","expires_in":"1","refresh_token":"r","token_type":"b"}`, "s")
	f.Add(200, "text/html", "gzip", "1e9", `{"access_token":"a\r\nb","expires_in":1e400}`, "rfc3339")
	f.Add(401, "", "", "Wed, 04 Mar 2026 05:07:07 GMT", `{"code":"pass-word-1","error":{"x":[1]}}`, "epoch_ms")
	f.Add(302, "a/b;c", "identity", "-1", "\xef\xbb\xbf[null]", "ms")
	f.Fuzz(func(t *testing.T, status int, media, encoding, retry, body, unit string) {
		o := refreshing("http://h")
		o.Response.ExpiresUnit = unit
		o.Transport = roundTripper(func(*http.Request) (*http.Response, error) {
			h := http.Header{"Content-Type": {media}, "Content-Encoding": {encoding}, "Retry-After": {retry}, "Location": {media}}
			return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body))}, nil
		})
		e, err := New(o)
		if err != nil {
			return
		}
		tok, err := e.Fetch(context.Background(), tokencache.Token{Value: testToken, Refresh: "rt-old-0123456789"})
		if err != nil {
			fetchError(t, err)
			noLeak(t, err)
			return
		}
		if !usable(tok.Value) || tok.Refresh != "" && !usable(tok.Refresh) || tok.Type != "" && !httpsyntax.IsToken(tok.Type) {
			t.Errorf("%q %q %q", tok.Value, tok.Refresh, tok.Type)
		}
		if !tok.Expiry.IsZero() && (!tok.Expiry.After(tok.Issued) || tok.Expiry.Sub(tok.Issued) > maxLifetime) {
			t.Errorf("%v to %v", tok.Issued, tok.Expiry)
		}
	})
}

func FuzzTemplate(f *testing.F) {
	f.Add("{base_url}/a?b={client_id}", "a b&c=/?#%", "k")
	f.Add("http://h/{client_id}{", "\r\nX: y", "{client_id}")
	f.Add("{{client_id}}", "..", "X-H")
	f.Fuzz(func(t *testing.T, text, value, key string) {
		v := values{"client_id": value, "base_url": "http://h"}
		c := template.Parse(text)
		if !strings.Contains(text, "{") && (c.Fill(v.of) != text || c.FillURL(v.inURL) != text) {
			t.Errorf("%q became %q", text, c.Fill(v.of))
		}
		r, faults := compileRequest("r", Request{
			URL: "http://h/p/{client_id}/q", Query: map[string]string{key: text}, JSON: map[string]any{key: text}, Headers: map[string]string{"X-T": text},
		}, Options{Secrets: names(), Params: map[string]string{"base_url": "http://h"}}, nil)
		if len(faults) > 0 {
			return
		}
		req, err := r.build(context.Background(), v)
		if err != nil {
			return
		}
		want := c.Fill(v.of)
		if got, err := url.ParseQuery(req.URL.RawQuery); err != nil || got.Get(key) != want {
			t.Errorf("query %q, want %q (%v)", got, want, err)
		}
		if got := req.URL.Path; got != "/p/"+value+"/q" || strings.Count(req.URL.EscapedPath(), "/") != 3 {
			t.Errorf("path %q of %q", got, value)
		}
		if httpsyntax.HasControl(req.Header.Get("X-T")) {
			t.Errorf("header %q", req.Header)
		}
		body, _ := io.ReadAll(req.Body)
		var object map[string]string
		if err := json.Unmarshal(body, &object); err != nil || utf8.ValidString(key) && utf8.ValidString(text) && len(object) > 0 && object[key] != want {
			t.Errorf("body %s, want %q", body, want)
		}
	})
}
