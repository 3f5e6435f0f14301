package endpoint

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"authproxy/tokencache"
)

// TestShow: who writes a dialect sees what is asked and answered, with names where secrets and tokens stand, in
// whatever spelling.
func TestShow(t *testing.T) {
	p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "SID=a-session-of-theirs; Path=/")
		w.Header().Set("Date", time.Now().Add(10*time.Minute).UTC().Format(http.TimeFormat))
		w.Header().Set("Location", "/x?token="+testToken)
		fmt.Fprintf(w, `{"access_token":%q,"refresh_token":"rt-old-0123456789","expires_in":60,"sign":%q,"again":%q,"part":%q,"msg":"wel\u0000come"}`,
			testToken, r.URL.Query().Get("sign"), testSecret, testToken[:12])
	})
	var shown []Exchange
	e := must(t, Options{
		Name: "main", Secrets: names(), Credentials: creds, Params: map[string]string{"tenant": "acme", "scope": ""}, Response: standard(),
		Values:  []Value{{Name: "sign", Text: "{client_id}", HMAC: "sha256", Key: "{client_secret}"}},
		Request: Request{URL: p.URL + "/{tenant}/t", Auth: "basic", Query: map[string]string{"sign": "{sign}", "none": "{scope}"}, Headers: map[string]string{"X-Tenant": "{tenant}"}, JSON: map[string]any{"user": "{username}", "n": []any{1, "{password}"}}},
		Show:    func(x Exchange) { shown = append(shown, x) },
	})
	if _, err := e.Fetch(context.Background(), tokencache.Token{}); err != nil {
		t.Fatal(err)
	}
	if len(shown) != 1 {
		t.Fatalf("%d exchanges", len(shown))
	}
	want := "POST " + p.URL + "/acme/t?sign={sign}\nAuthorization: (basic, of {client_id} and {client_secret})\nX-Tenant: acme\n" + `{"n":[1,"{password}"],"user":"{username}"}`
	if shown[0].Request != want {
		t.Errorf("%s\nwant\n%s", shown[0].Request, want)
	}
	if late := shown[0].Ahead + 10*time.Minute; late < -5*time.Second || late > time.Minute {
		t.Errorf("%v ahead", shown[0].Ahead)
	}
	answer := shown[0].Answer
	for _, part := range []string{"200 OK\n", "Set-Cookie: SID=***\n", "token={token}", `"access_token":"{token}"`, `"refresh_token":"{refresh_token}"`, `"sign":"{sign}"`, `"again":"`, `"expires_in":60`, `"part":"***"`} {
		if !strings.Contains(answer, part) {
			t.Errorf("no %s in\n%s", part, answer)
		}
	}
	noLeakOf(t, fmt.Errorf("%s %s", shown[0].Request, answer), append(known(), testToken[:12], "a-session-of-theirs")...)

	broken := must(t, Options{Name: "main", Request: Request{URL: "http://127.0.0.1:1/t"}, Response: standard(), Show: func(x Exchange) { shown = append(shown, x) }})
	if _, err := broken.Fetch(context.Background(), tokencache.Token{}); err == nil || !strings.Contains(shown[1].Answer, "nothing listens at 127.0.0.1:1") {
		t.Errorf("%v: %q", err, shown[1:])
	}
}
