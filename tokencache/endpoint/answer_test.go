package endpoint

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
)

// TestFormsOfTheToken: what answers write around it is taken off.
func TestFormsOfTheToken(t *testing.T) {
	whole := Selector{Body: true}
	for _, c := range []struct {
		place Selector
		body  string
		want  string // "": no token
	}{
		{at("t"), `{"t":"Bearer abc"}`, "abc"},
		{at("t"), `{"t":"bearer  abc\r\n"}`, "abc"},
		{at("t"), `{"t":"abc\n"}`, "abc"},
		{at("t"), `{"t":"\tabc"}`, "abc"},
		{at("t"), `{"t":"Basic abc"}`, ""},
		{at("t"), `{"t":"Bearer "}`, ""},
		{at("t"), `{"t":"bearer\t"}`, ""},
		{at("t"), `{"t":"Bearer\tabc"}`, "abc"},
		{at("t"), `{"t":"bearer \t  abc"}`, "abc"},
		{at("t"), `{"t":"BEARER\r\nabc"}`, "abc"},
		{at("t"), `{"t":"Bearer Bearer abc"}`, "abc"},
		{at("t"), `{"t":"Bearerabc"}`, "Bearerabc"},
		{at("t"), `{"t":"null"}`, "null"}, // somebody named the place
		{at("t"), `{"t":"abc\u00a0"}`, "abc"},
		{at("$"), `"abc"`, "abc"},
		{at("$"), "\"Bearer abc\"\n", "abc"},
		{at("$"), `{"t":"abc"}`, ""},
		{whole, "abc\n", "abc"},
		{whole, "\xef\xbb\xbfabc", "abc"},
		{whole, "Bearer abc", "abc"},
		{whole, `"abc"`, "abc"},
		{whole, "1234", ""},
		{whole, "12345678", "12345678"},
		{whole, "01234567", "01234567"},
		{whole, `"1234"`, ""},
		{whole, "-12345678", ""},
		{whole, "12345.678", ""},
		{whole, "1e12345678", ""},
		{whole, "0", ""},
		{whole, "null", ""},
		{whole, "true\n", ""},
		{whole, "false", ""},
		{whole, `"null"`, ""},
		{whole, "Bearer null", ""},
		{whole, "Bearer ", ""},
		{whole, "bearer\tabc\n", "abc"},
		{whole, "OK", ""},
		{whole, "<html>", ""},
		{whole, "<token>abc</token>", ""},
		{whole, "not found", ""},
		{whole, "abc\ndef", ""},
		{whole, `"abc def"`, ""},
		{whole, `"abc`, ""},
		{whole, `{"access_token":"ab`, ""},
		{whole, "error=invalid_client", ""},
		{whole, "QUJDREVGRw==", "QUJDREVGRw=="},
		{whole, "a-._~+/b==", "a-._~+/b=="},
		{whole, "abc\x00def", ""},
		{whole, "abcdéf", ""},
		{whole, "[1]", ""},
		{whole, `{"error":"x"}`, ""},
		{whole, "<html>\n<body>", ""},
		{whole, "", ""},
	} {
		o := simple(newPlatform(t, says(c.body)).URL)
		o.Response.Token = c.place
		tok, err := must(t, o).Fetch(t.Context(), zero)
		if tok.Value != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s in %q: %q, %v", c.place, c.body, tok.Value, err)
		}
	}
}

// TestWhatIsNoTokenIsExplained: why, and at which place, without the value.
func TestWhatIsNoTokenIsExplained(t *testing.T) {
	for _, c := range []struct {
		place Selector
		body  string
		want  []string
	}{
		{Selector{Body: true}, "<html>fresh-token-1", []string{"its body is no token; it sent application/json, 19 bytes: ", "response.token: body means", "visible ASCII"}},
		{Selector{Body: true}, `{"token":"fresh-token-1"}`, []string{"its body is no token", "its members are token: "}},
		{Selector{Body: true}, "", []string{"it sent an empty body"}},
		{Selector{Body: true}, strings.Repeat("fresh-token-1", 2000), []string{"at body is no token: it is longer than 16 KiB"}},
		{at("a.t"), `{"a":{"t":"fresh-token-1\u0007x"}}`, []string{"what stands at a.t is no token: it holds control characters"}},
		{at("a.t"), `{"a":{"t":"fresh-token-1\u0085x"}}`, []string{"at a.t is no token: it holds control characters"}},
		{at("a.t"), `{"a":{"t":"fresh-token-1\r\nX: y"}}`, []string{"at a.t is no token: it holds control characters"}},
		{at("a.t"), `{"a":{"t":"fresh-token-1é"}}`, []string{"at a.t is no token: it holds characters beyond ASCII"}},
		{at("a.t"), `{"a":{"t":"fresh-token-1 x"}}`, []string{"at a.t is no token: it holds a blank"}},
		{at("a.t"), `{"a":{"t":["fresh-token-1"]}}`, []string{"at a.t is no token: it is not a text"}},
		{at("a.t"), `{"a":{"t":"Bearer "}}`, []string{"without a token at a.t"}},
	} {
		o := simple(newPlatform(t, says(c.body)).URL)
		o.Response.Token = c.place
		_, err := must(t, o).Fetch(t.Context(), zero)
		if f := fetchError(t, err); f.Reason != "bad_answer" {
			t.Errorf("%s: %s", c.body, f.Reason)
		}
		contains(t, err.Error(), c.want...)
		noLeakOf(t, err, "fresh-token-1")
	}
}

func TestCompressedAnswers(t *testing.T) {
	const body = `{"access_token":"abc"}`
	var zipped, br bytes.Buffer
	z, b := gzip.NewWriter(&zipped), brotli.NewWriter(&br)
	_, _ = io.WriteString(z, body)
	_, _ = io.WriteString(b, body)
	_, _ = z.Close(), b.Close()
	for _, c := range []struct{ label, body string }{
		{"gzip", zipped.String()}, {"", zipped.String()}, {"UTF-8", zipped.String()}, {"br", br.String()},
		{"UTF-8", body}, {"none", body}, {"gzip", body}, {"zstd", body}, {"gzip, utf-8", zipped.String()},
		{"br", zipped.String()}, {"zstd", zipped.String()}, {"gzip;q=1", zipped.String()}, {`"br"`, br.String()}, {"br, gzip", br.String()}, {"deflate", body},
		{"", zipped.String() + "\x00\x00"}, {"gzip", zipped.String()[:zipped.Len()-8]},
	} {
		tok, err := must(t, simple(newPlatform(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", c.label)
			_, _ = io.WriteString(w, c.body)
		}).URL)).Fetch(t.Context(), zero)
		if err != nil || tok.Value != "abc" {
			t.Errorf("%q: %v", c.label, err)
		}
	}
}

func TestLifetimeThatCannotBeReadIsTold(t *testing.T) {
	for _, c := range []struct {
		place, body string
		told        string
	}{
		{"expires_in", `{"access_token":"abc","expires_in":7}`, ""},
		{"expires_in", `{"access_token":"abc"}`, ""},
		{"expires_in", `{"access_token":"abc","expires_in":"2h"}`, "(expires_in): what stands there is no number"},
		{"expires_in", `{"access_token":"abc","expires_in":0}`, "is no time ahead"},
		{"expires_in", `{"access_token":"abc","expires_in":` + strconv.FormatInt(time.Now().Unix()+3600, 10) + `}`, "(expires_in): what stands there, as s, is years ahead; it looks like a time of day (epoch): set expires_unit: epoch_s"},
		{"expires_in", `{"access_token":"abc","expires_in":"2999-01-02T03:04:05Z"}`, "it looks like a date: set expires_unit: rfc3339"},
		{"expires_in", `{"access_token":"abc","expires_in":{}}`, "neither a number nor a text"},
		{"data.ttl", `{"access_token":"abc","expires_in":7}`, "(data.ttl): nothing stands there"},
	} {
		o := simple(newPlatform(t, says(c.body)).URL)
		o.Response.ExpiresIn = at(c.place)
		tok, err := must(t, o).Fetch(t.Context(), zero)
		if err != nil || !strings.Contains(tok.Unread, c.told) || (tok.Unread == "") != (c.told == "") {
			t.Errorf("%s: %q, %v", c.body, tok.Unread, err)
		}
	}
}
