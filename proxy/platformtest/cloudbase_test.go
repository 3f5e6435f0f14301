package platformtest_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"authproxy/proxy/platformtest"
)

const signInBody = `{"username":"user","password":"password"}`

var signInCall = call{"POST", "/auth/v1/signin", []string{jsonType, "x-device-id: d1"}, signInBody}

func TestCloudBaseSignIns(t *testing.T) {
	s := start(t, platformtest.NewCloudBase(platformtest.Options{}))
	with := func(target, body string) call { return call{"POST", target, []string{jsonType}, body} }
	s.table(t, []row{
		{"sample", signInCall, 200, `"refresh_token"`},
		{"client_id", with("/auth/v1/signin?client_id=id", signInBody), 200, `"groups"`},
		{"other client_id", with("/auth/v1/signin?client_id=other", signInBody), 400, "invalid_argument"},
		{"other query", with("/auth/v1/signin?x=1", signInBody), 400, "invalid_argument"},
		{"GET", call{"GET", "/auth/v1/signin", nil, ""}, 400, "invalid_argument"},
		{"form", call{"POST", "/auth/v1/signin", []string{formType}, "username=user"}, 400, "invalid_argument"},
		{"no password", with("/auth/v1/signin", `{"username":"user"}`), 400, "password is missing"},
		{"unknown field", with("/auth/v1/signin", `{"username":"user","password":"password","x":""}`), 400, "invalid_argument"},
		{"wrong password", with("/auth/v1/signin", `{"username":"user","password":"x"}`), 400, "invalid_password"},
		{"other path", with("/auth/v1/other", "{}"), 404, "not_found"},
	})
	if got := s.Counts(); got.SignIns != 9 || got.Devices != 3 || got.Issued != 2 || got.WrongCredentials != 1 {
		t.Errorf("counts: %+v", got)
	}
}

func TestCloudBaseTokensAreLong(t *testing.T) {
	s := start(t, platformtest.NewCloudBase(platformtest.Options{UserTokenLength: 4000}))
	token := s.token(t, signInCall)
	if len(token) < 4000 || len(token) > 4096 || strings.Count(token, ".") != 2 {
		t.Errorf("%d bytes, %d dots", len(token), strings.Count(token, "."))
	}
	if e := echo(t, s.do(t, call{"PATCH", "/v1/any", []string{"Authorization: Bearer " + token}, "x"})); e.Granted != platformtest.GrantedUser {
		t.Error(e)
	}
}

func TestCloudBaseRefreshTokenDiesAtOnce(t *testing.T) {
	s := start(t, platformtest.NewCloudBase(platformtest.Options{}))
	first := s.do(t, signInCall)
	refresh := func(token, more string) call {
		return call{"POST", "/auth/v1/token", []string{jsonType}, `{"grant_type":"refresh_token","refresh_token":"` + token + `"` + more + `}`}
	}
	old := first.field(t, "refresh_token")
	s.table(t, []row{
		{"wrong grant", call{"POST", "/auth/v1/token", []string{jsonType}, `{"grant_type":"x","refresh_token":"` + old + `"}`}, 400, "invalid_argument"},
		{"unknown", refresh("x", ""), 400, "invalid_grant"},
		{"other client", refresh(old, `,"client_id":"x"`), 400, "invalid_argument"},
		{"good", refresh(old, `,"client_id":"id"`), 200, "access_token"},
		{"spent", refresh(old, ""), 400, "invalid_grant"},
		{"old access token lives", call{"GET", "/a", []string{"Authorization: Bearer " + first.field(t, "access_token")}, ""}, 200, "sha256"},
	})
	second := s.do(t, signInCall).field(t, "refresh_token")
	s.RevokeRefreshTokens()
	if r := s.do(t, refresh(second, "")); r.field(t, "error") != "invalid_grant" {
		t.Error(r.body)
	}
	if got := s.Counts(); got.Refreshes != 6 || got.SignIns != 2 || got.TokenRequests != 8 || got.Issued != 3 {
		t.Errorf("counts: %+v", got)
	}
}

func TestCloudBaseRevoke(t *testing.T) {
	s := start(t, platformtest.NewCloudBase(platformtest.Options{}))
	token := s.token(t, signInCall)
	revoke := call{"POST", "/auth/v1/revoke", []string{jsonType}, `{"token":"` + token + `"}`}
	s.table(t, []row{
		{"before", call{"GET", "/a", []string{"Authorization: Bearer " + token}, ""}, 200, "sha256"},
		{"no token", call{"POST", "/auth/v1/revoke", []string{jsonType}, `{}`}, 400, "invalid_argument"},
		{"revoke", revoke, 200, "{}"},
		{"again", revoke, 400, "unauthenticated"},
		{"after", call{"GET", "/a", []string{"Authorization: Bearer " + token}, ""}, 401, "INVALID_ACCESS_TOKEN"},
	})
}

func TestCloudBaseAsksForACaptcha(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := platformtest.NewCloudBase(platformtest.Options{})
		signIn := func(password string) string {
			r := httptest.NewRequest("POST", "/auth/v1/signin", strings.NewReader(`{"username":"user","password":"`+password+`"}`))
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			p.ServeHTTP(w, r)
			return w.Body.String()
		}
		for range 5 {
			if got := signIn("wrong"); !strings.Contains(got, "invalid_password") {
				t.Fatal(got)
			}
		}
		if got := signIn("password"); !strings.Contains(got, "captcha_required") {
			t.Error(got)
		}
		time.Sleep(10 * time.Minute)
		if got := signIn("password"); !strings.Contains(got, "access_token") {
			t.Error(got)
		}
	})
}
