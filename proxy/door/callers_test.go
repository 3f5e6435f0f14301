package door

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"authproxy/proxy"
)

func TestCallers(t *testing.T) {
	var passed *http.Request
	seen := &records{}
	h, err := NewCallers(Callers{Secret: secretOf("s3cret-of-callers")},
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { passed = r }), seen)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		values []string
		want   int
	}{
		{"the secret", []string{"Bearer s3cret-of-callers"}, 200},
		{"another case of the scheme (RFC 9110 section 11.1)", []string{"bEARER  s3cret-of-callers"}, 200},
		{"nothing", nil, 403},
		{"empty", []string{""}, 403},
		{"the scheme alone", []string{"Bearer "}, 403},
		{"no scheme", []string{"s3cret-of-callers"}, 403},
		{"another scheme", []string{"Basic s3cret-of-callers"}, 403},
		{"its beginning", []string{"Bearer s3cret-of-caller"}, 403},
		{"more than it", []string{"Bearer s3cret-of-callers2"}, 403},
		{"another case", []string{"Bearer S3CRET-OF-CALLERS"}, 403},
		{"twice", []string{"Bearer s3cret-of-callers", "Bearer s3cret-of-callers"}, 403},
		{"with another one", []string{"Bearer x", "Bearer s3cret-of-callers"}, 403},
	} {
		passed = nil
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Authorization"], r.Header["X-Stays"] = c.values, []string{"1"}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.want || (passed != nil) != (c.want == 200) {
			t.Errorf("%s: %d", c.name, w.Code)
		}
		if passed != nil && (passed.Header["Authorization"] != nil || passed.Header.Get("X-Stays") != "1" || len(r.Header["Authorization"]) != 1) {
			t.Errorf("%s: passed on %v, of %v", c.name, passed.Header, r.Header)
		}
		if passed == nil && (w.Header().Get("X-Authproxy-Error") != "caller_unknown" || strings.Contains(w.Body.String(), "s3cret")) {
			t.Errorf("%s: %v %s", c.name, w.Header(), w.Body)
		}
	}
	if n := len(seen.all); n != 10 || seen.started != n || seen.all[0].Rejected != proxy.CodeCallerUnknown {
		t.Errorf("%d rejections were recorded", n)
	}
}

// TestCallersTokenStaysHere: wherever the token of the upstream goes, and
// whatever templates say, the caller's own does not go there.
func TestCallersTokenStaysHere(t *testing.T) {
	for name, authorizer := range map[string]func() (proxy.Authorizer, error){
		"authorization": func() (proxy.Authorizer, error) { return proxy.InHeader("Authorization", "Bearer") },
		"own header":    func() (proxy.Authorizer, error) { return proxy.InHeader("X-Token", "") },
		"query":         func() (proxy.Authorizer, error) { return proxy.InQuery("access_token") },
	} {
		sent := ""
		place, err := authorizer()
		if err != nil {
			t.Fatal(err)
		}
		upstream := newProxy(t, proxy.Options{
			Authorizer: place,
			Headers:    proxy.Headers{Set: map[string]string{"X-Copy": "{header.Authorization}"}},
			Query:      proxy.Query{Set: map[string]string{"copy": "{header.Authorization}"}},
			Transport:  answering(func(r *http.Request) { sent = fmt.Sprint(r.Header, r.URL) }),
		})
		h, err := NewCallers(Callers{Secret: secretOf("s3cret")}, upstream)
		if err != nil {
			t.Fatal(err)
		}
		if callAs(h, "s3cret") != 200 || strings.Contains(sent, "s3cret") || !strings.Contains(sent, "t1") {
			t.Errorf("%s: the upstream got %s", name, sent)
		}
	}
}

func TestCallersKnown(t *testing.T) {
	known := errors.New("uid 7 is not listed")
	h, err := NewCallers(Callers{Known: func(*http.Request) error { return known }}, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			t.Error("without a secret Authorization is the client's")
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer x")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 403 || !strings.Contains(w.Body.String(), "uid 7 is not listed") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	known, w = nil, httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 200 {
		t.Errorf("%d", w.Code)
	}
}

// TestCallersSecretIsExchanged: a new secret counts at the next request, the
// old one no more, and one look is made for each request that brings another.
func TestCallersSecretIsExchanged(t *testing.T) {
	secret, looks, exchanged := secretOf("one"), 0, ""
	h, err := NewCallers(Callers{Secret: secret, Recheck: func() { looks++; secret.Set(exchanged) }},
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if callAs(h, "one") != 200 {
			t.Fatal("refused")
		}
	}
	if looks != 0 {
		t.Errorf("%d looks for a thousand requests", looks)
	}
	exchanged = "two"
	if callAs(h, "two") != 200 || callAs(h, "one") != 403 {
		t.Error("the new secret does not count at once")
	}
	if looks = 0; callAs(h, "guess") != 403 || looks != 1 {
		t.Errorf("%d looks for a guess", looks)
	}
	exchanged = "three"
	secret.Set(exchanged) // by whoever sees the file change
	if callAs(h, "three") != 200 || callAs(h, "two") != 403 {
		t.Error("the old secret still counts")
	}
	exchanged = "" // it cannot be read for a moment
	secret.Set("")
	if callAs(h, "three") != 200 || callAs(h, "") != 403 {
		t.Error("a secret that is gone for a moment turns everybody away, or lets everybody in")
	}
}

// TestCallersSecretIsExchangedUnderLoad: none of many callers that have the new
// secret is turned away because another one's request is reading it.
func TestCallersSecretIsExchangedUnderLoad(t *testing.T) {
	secret := secretOf("one")
	var reading sync.Mutex
	h, err := NewCallers(Callers{Secret: secret, Recheck: func() {
		reading.Lock()
		defer reading.Unlock()
		time.Sleep(time.Millisecond)
		secret.Set("two")
	}}, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if callAs(h, "two") != 200 {
				t.Error("refused")
			}
		})
	}
	wg.Wait()
}

func secretOf(value string) *Secret {
	s := new(Secret)
	s.Set(value)
	return s
}

func callAs(h http.Handler, token string) int {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestCallersNeedASecretFromTheStart(t *testing.T) {
	for _, secret := range []*Secret{new(Secret), secretOf("")} {
		if _, err := NewCallers(Callers{Secret: secret}, nil); err == nil {
			t.Error("no error")
		}
	}
}
