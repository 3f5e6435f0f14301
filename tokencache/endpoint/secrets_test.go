package endpoint

import (
	"maps"
	"testing"

	"authproxy/tokencache"
)

// withMore is simple with further secrets, in an order of their own.
func withMore(url string) Options {
	o := simple(url)
	o.Secrets = append([]string{"app_key"}, names()...)
	o.Secrets = append(o.Secrets, "signing_key")
	o.Credentials = func() (map[string]string, error) {
		all, err := creds()
		maps.Copy(all, map[string]string{"app_key": "app-key-123456", "signing_key": "signing-key-1", "nobody_asked": "unasked-key-1"})
		return all, err
	}
	o.Request = Request{URL: "{base_url}/token", JSON: map[string]string{"s": "{signing_key}", "a": "{app_key}", "p": "{password}"}}
	return o
}

// TestFurtherSecrets are filled in, named in messages in the order of the
// options, and not shown.
func TestFurtherSecrets(t *testing.T) {
	p := newPlatform(t, saysStatus(401, `{"code":"app-key-123456"}`))
	_, err := must(t, withMore(p.URL)).Fetch(t.Context(), zero)
	if got, want := p.requests()[0].body, `{"a":"app-key-123456","p":"pass-word-1","s":"signing-key-1"}`; got != want {
		t.Errorf("sent %s, want %s", got, want)
	}
	contains(t, err.Error(), "401: check app_key, password and signing_key")
	noLeakOf(t, err, "app-key-123456", "signing-key-1")
}

// TestEverythingThatCredentialsReturnsIsSecret, also what no template can use.
func TestEverythingThatCredentialsReturnsIsSecret(t *testing.T) {
	_, err := must(t, withMore(newPlatform(t, saysStatus(401, `{"code":"unasked-key-1"}`)).URL)).Fetch(t.Context(), zero)
	noLeakOf(t, err, "unasked-key-1")
	o := withMore("http://h")
	o.Request.URL = "{base_url}/{nobody_asked}"
	if _, err := New(o); err == nil {
		t.Error("a name that is none of Secrets is a placeholder")
	}
}

// TestRefusedCheckWithAFurtherSecret may be about that one.
func TestRefusedCheckWithAFurtherSecret(t *testing.T) {
	for body, verdict := range map[string]bool{"{signing_key}": false, "{client_id}{username}": true} {
		o := withMore(newPlatform(t, saysStatus(401, `{}`)).URL)
		o.Check = &Request{URL: "{base_url}/check", Form: map[string]string{"t": "{token}", "by": body}}
		v, err := must(t, o).Check(t.Context(), tokencache.Token{Value: testToken})
		if (err == nil) != verdict || v.Good {
			t.Errorf("%s: %+v, %v", body, v, err)
		}
	}
}

func TestNamesThatAreTaken(t *testing.T) {
	o := simple("http://h")
	o.Secrets = append(o.Secrets, "base_url", "uuid", "client_id", "A")
	_, err := New(o)
	if err == nil {
		t.Fatal("no fault")
	}
	contains(t, err.Error(), "params: the name base_url is taken", "secrets: the name uuid is taken", "secrets: the name client_id is taken", `secrets: the name "A"`)
	for _, name := range Reserved() {
		o := simple("http://h")
		o.Params[name] = "x"
		if _, err := New(o); err == nil {
			t.Errorf("%s can be a parameter", name)
		}
	}
}
