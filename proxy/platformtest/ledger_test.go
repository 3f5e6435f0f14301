package platformtest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"authproxy/proxy/platformtest"
)

// direct asks a platform without a network, which fake time does not go with.
func direct(p http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w
}

func issue(t *testing.T, p http.Handler) (token string, seconds float64) {
	t.Helper()
	w := direct(p, oauth2TokenCall.method, oauth2TokenCall.target, oauth2TokenCall.body, oauth2TokenCall.headers...)
	var fields map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &fields); err != nil {
		t.Fatal(err)
	}
	return fields["access_token"].(string), fields["expires_in"].(float64)
}

func TestTokensExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platformtest.NewOAuth2(platformtest.Options{Lifetime: 90 * time.Second})
		token, seconds := issue(t, p)
		if seconds != 90 {
			t.Error(seconds)
		}
		time.Sleep(90*time.Second - time.Nanosecond)
		if w := direct(p, "GET", "/a", "", "Authorization: Bearer "+token); w.Code != 200 {
			t.Error(w.Body)
		}
		time.Sleep(time.Nanosecond)
		if w := direct(p, "GET", "/a", "", "Authorization: Bearer "+token); w.Code != 401 || !strings.Contains(w.Body.String(), "expired") {
			t.Error(w.Body)
		}
		if len(p.LiveTokens()) != 0 || !slices.Contains(p.Secrets(), token) {
			t.Error("an expired token is not alive, but a secret")
		}
	})
}

func TestRefreshTokensExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platformtest.NewCloudBase(platformtest.Options{})
		var fields map[string]any
		w := direct(p, "POST", "/auth/v1/signin", signInBody, jsonType)
		if err := json.Unmarshal(w.Body.Bytes(), &fields); err != nil {
			t.Fatal(err)
		}
		refresh := fields["refresh_token"].(string)
		if live := p.LiveTokens(); len(live) != 2 || !slices.Contains(live, refresh) {
			t.Error(len(live))
		}
		time.Sleep(31 * 24 * time.Hour)
		w = direct(p, "POST", "/auth/v1/token", `{"grant_type":"refresh_token","refresh_token":"`+refresh+`"}`, jsonType)
		if !strings.Contains(w.Body.String(), "invalid_grant") {
			t.Error(w.Body)
		}
	})
}

func TestReissue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platformtest.NewOAuth2(platformtest.Options{Lifetime: time.Minute})
		p.SetReissue(true)
		first, _ := issue(t, p)
		time.Sleep(20 * time.Second)
		if again, seconds := issue(t, p); again != first || seconds != 40 {
			t.Error("not repeated:", seconds)
		}
		p.RevokeAll()
		second, seconds := issue(t, p)
		if second == first || seconds != 60 {
			t.Error("a dead token was repeated")
		}
		time.Sleep(time.Minute)
		if third, _ := issue(t, p); third == second {
			t.Error("an expired token was repeated")
		}
		p.SetReissue(false)
		a, _ := issue(t, p)
		if b, _ := issue(t, p); a == b {
			t.Error("repeated")
		}
	})
}

func TestExpiresIn(t *testing.T) {
	p := platformtest.NewOAuth2(platformtest.Options{})
	get := func() string {
		return direct(p, oauth2TokenCall.method, oauth2TokenCall.target, oauth2TokenCall.body, oauth2TokenCall.headers...).Body.String()
	}
	for _, raw := range []string{`"3600"`, `null`, `-1`, `1e300`, `NaN`} {
		p.SetExpiresIn(raw)
		if got := get(); !strings.Contains(got, `"expires_in":`+raw+`,`) {
			t.Errorf("%s: %s", raw, got)
		}
	}
	p.SetExpiresIn(platformtest.OmitExpiresIn)
	if got := get(); strings.Contains(got, "expires_in") || !json.Valid([]byte(got)) {
		t.Error(got)
	}
	p.SetExpiresIn("")
	if got := get(); !strings.Contains(got, `"expires_in":3600,`) {
		t.Error(got)
	}
}

func TestSecretsHoldEverything(t *testing.T) {
	p := platformtest.NewWeDaPrivate(platformtest.Options{ClientSecret: "s-1", Password: "p-1"})
	for range 3 {
		direct(p, "POST", "/auth/v1/signin", `{"username":"user","password":"p-1"}`, jsonType)
		direct(p, "POST", p.TokenPath(), grantBody, jsonType, basic("id:s-1"))
	}
	secrets, live := p.Secrets(), p.LiveTokens()
	if len(live) != 9 {
		t.Errorf("%d tokens live", len(live))
	}
	for _, want := range append(live, "s-1", "p-1") {
		if !slices.Contains(secrets, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	p := platformtest.NewOAuth2(platformtest.Options{})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			token, _ := issue(t, p)
			direct(p, "POST", "/a", "body", "Authorization: Bearer "+token)
			p.SetAPIFault(&platformtest.Fault{Times: 1})
			p.RevokeAll()
			p.LastAPIRequest()
			p.Counts()
			p.Secrets()
		})
	}
	group.Wait()
	if got := p.Counts(); got.Issued != 20 || got.APIRequests != 20 {
		t.Errorf("%+v", got)
	}
}
