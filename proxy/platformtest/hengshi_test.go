package platformtest_test

import (
	"strings"
	"testing"

	"authproxy/proxy/platformtest"
)

const hengshiTokens = "/api/oauth2/server/tokens"

var hengshiTokenCall = call{"GET", hengshiTokens + "?grant_type=client_credentials&client_id=id&client_secret=secret", nil, ""}

func TestHengshiTokenRequests(t *testing.T) {
	s := start(t, platformtest.NewHengshi(platformtest.Options{}))
	get := func(query string) call { return call{"GET", hengshiTokens + query, nil, ""} }
	s.table(t, []row{
		{"sample", hengshiTokenCall, 200, `"expires_in":"43200"`},
		{"POST", call{"POST", hengshiTokenCall.target, nil, ""}, 400, `"code":400`},
		{"body", call{"GET", hengshiTokenCall.target, nil, "x"}, 400, `"code":400`},
		{"no grant", get("?client_id=id&client_secret=secret"), 400, "grant_type"},
		{"other grant", get("?grant_type=password&client_id=id&client_secret=secret"), 400, "grant_type"},
		{"unknown", call{"GET", hengshiTokenCall.target + "&scope=sodu", nil, ""}, 400, "scope"},
		{"repeated", call{"GET", hengshiTokenCall.target + "&client_id=id", nil, ""}, 400, "client_id"},
		{"wrong secret", get("?grant_type=client_credentials&client_id=id&client_secret=x"), 401, "wrong"},
	})
	if got := s.Counts(); got.Issued != 1 || got.WrongCredentials != 1 || got.BadRequests != 6 {
		t.Errorf("counts: %+v", got)
	}
}

func TestHengshiCheckAndRevoke(t *testing.T) {
	s := start(t, platformtest.NewHengshi(platformtest.Options{}))
	token := s.token(t, hengshiTokenCall)
	get := func(what, query string) call { return call{"GET", hengshiTokens + "/" + what + query, nil, ""} }
	s.table(t, []row{
		{"check", get("check", "?token="+token), 200, `"expires_in":"43`},
		{"check the scope", get("check", "?token="+token), 200, `"scope":"sodu"`},
		{"check nothing", get("check", ""), 400, "token is missing"},
		{"check unknown", get("check", "?token=x"), 401, "invalid"},
		{"revoke unknown", get("revoke", "?token=x"), 200, `"code":1`},
		{"revoke", get("revoke", "?token="+token), 200, `"code":0`},
		{"revoke again", get("revoke", "?token="+token), 200, `"code":1`},
		{"check revoked", get("check", "?token="+token), 401, "invalid"},
		{"use revoked", call{"GET", "/api/a", []string{"Authorization: Bearer " + token}, ""}, 401, "invalid"},
	})
	if got := s.Counts(); got.Checks != 5 || got.Revocations != 3 || got.TokenRequests != 1 || got.Issued != 1 {
		t.Errorf("counts: %+v", got)
	}
}

func TestHengshiAPI(t *testing.T) {
	s := start(t, platformtest.NewHengshi(platformtest.Options{}))
	token := s.token(t, hengshiTokenCall)
	bearer := "Authorization: Bearer " + token
	head := func(query string) call { return call{"GET", "/api/apps" + query, []string{bearer}, ""} }
	s.table(t, []row{
		{"header", head(""), 200, `{"code":0,"data":{`},
		{"parameter", call{"GET", "/api/apps?a=1&access_token=" + token, nil, ""}, 200, `"query":"a=1\u0026access_token=***"`},
		{"both", head("?access_token=" + token), 400, `"code":400`},
		{"parameter twice", call{"GET", "/api/apps?access_token=" + token + "&access_token=" + token, nil, ""}, 400, "once"},
		{"none", call{"GET", "/api/apps", nil, ""}, 401, "invalid"},
		{"lower case", call{"GET", "/api/apps", []string{"Authorization: bearer " + token}, ""}, 401, "invalid"},
		{"uid", head("?sudo=uid:7"), 200, `"user":"uid:7"`},
		{"loginName", head("?sudo=loginName%3Aann"), 200, `"user":"loginName:ann"`},
		{"email", head("?sudo=email:a%40b.test"), 200, `"user":"email:a@b.test"`},
		{"mobile", head("?sudo=mobile:123"), 200, `"user":"mobile:123"`},
		{"username", head("?sudo=username:ann"), 200, `"user":"username:ann"`},
		{"tenantId", head("?sudo=uid:7&tenantId=3"), 200, `"tenant":"tenantId:3"`},
		{"tenantCode", head("?sudo=uid:7&tenantCode=c"), 200, `"tenant":"tenantCode:c"`},
		{"both tenants", head("?sudo=uid:7&tenantId=3&tenantCode=c"), 400, "exclude"},
		{"no form", head("?sudo=ann"), 400, "sudo"},
		{"unknown form", head("?sudo=id:7"), 400, "sudo"},
		{"no user", head("?sudo=uid:"), 400, "sudo"},
		{"sudo twice", head("?sudo=uid:7&sudo=uid:8"), 400, "sudo"},
		{"sudo twice, once encoded", head("?sudo=uid:7&%73udo=uid:8"), 400, "sudo"},
		{"a query of many kinds", head("?a=1;b=%zz&&c"), 200, `"query":"a=1;b=%zz\u0026\u0026c"`},
		{"permission", head("/forbidden"), 403, `"code":403`},
		{"rate", head("/ratelimit"), 429, `"code":429`},
	})
	if r := s.do(t, call{"GET", "/x?access_token=" + token, nil, ""}); strings.Contains(r.body, token) {
		t.Error("the echo holds the token")
	}
}
