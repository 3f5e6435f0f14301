package platformtest_test

import (
	"encoding/json"
	"testing"

	"authproxy/proxy/platformtest"
)

const grantBody = `{"grant_type":"client_credentials"}`

var wedaTokenCall = call{"POST", "/auth/v1/token/clientCredential", []string{jsonType, basic("id:secret")}, grantBody}

func TestWeDaTokenRequests(t *testing.T) {
	s := start(t, platformtest.NewWeDa(platformtest.Options{}))
	auth, good := basic("id:secret"), wedaTokenCall
	vary := func(change func(*call)) call {
		c := good
		change(&c)
		return c
	}
	s.table(t, []row{
		{"sample", good, 200, `"expires_in":432000`},
		{"charset", vary(func(c *call) { c.headers = []string{jsonType + ";charset=utf-8", auth} }), 200, "Bearer"},
		{"the document's charset", vary(func(c *call) { c.headers = []string{jsonType + ";utf-8", auth} }), 200, "Bearer"},
		{"GET", vary(func(c *call) { c.method = "GET" }), 400, "BAD_REQUEST"},
		{"PUT", vary(func(c *call) { c.method = "PUT" }), 400, "BAD_REQUEST"},
		{"query", vary(func(c *call) { c.target += "?a=1" }), 400, "BAD_REQUEST"},
		{"no type", vary(func(c *call) { c.headers = []string{auth} }), 400, "BAD_REQUEST"},
		{"form type", vary(func(c *call) { c.headers = []string{formType, auth} }), 400, "BAD_REQUEST"},
		{"form", vary(func(c *call) { c.body = "grant_type=client_credentials" }), 400, "BAD_REQUEST"},
		{"no body", vary(func(c *call) { c.body = "" }), 400, "BAD_REQUEST"},
		{"other grant", vary(func(c *call) { c.body = `{"grant_type":"password"}` }), 400, "BAD_REQUEST"},
		{"unknown field", vary(func(c *call) { c.body = `{"grant_type":"client_credentials","scope":""}` }), 400, "scope"},
		{"repeated field", vary(func(c *call) { c.body = `{"grant_type":"x","grant_type":"client_credentials"}` }), 400, "BAD_REQUEST"},
		{"number", vary(func(c *call) { c.body = `{"grant_type":1}` }), 400, "BAD_REQUEST"},
		{"trailing", vary(func(c *call) { c.body += "{}" }), 400, "BAD_REQUEST"},
		{"two headers", good.with(auth), 400, "BAD_REQUEST"},
		{"wrong secret", vary(func(c *call) { c.headers = []string{jsonType, basic("id:wrong")} }), 401, "SIGN_PARAM_INVALID"},
		{"no secret", vary(func(c *call) { c.headers = []string{jsonType} }), 401, "SIGN_PARAM_INVALID"},
		{"not base64", vary(func(c *call) { c.headers = []string{jsonType, "Authorization: Basic id:secret"} }), 401, "SIGN_PARAM_INVALID"},
		{"Bearer", vary(func(c *call) { c.headers = []string{jsonType, "Authorization: Bearer x"} }), 401, "SIGN_PARAM_INVALID"},
	})
	got := s.Counts()
	if got.TokenRequests != 20 || got.Issued != 3 || got.WrongCredentials != 4 || got.BadRequests != 13 {
		t.Errorf("counts: %+v", got)
	}
}

func TestWeDaWantsCredentialsRaw(t *testing.T) {
	s := start(t, platformtest.NewWeDa(platformtest.Options{ClientID: "a+b%", ClientSecret: "s/=:+"}))
	c := wedaTokenCall
	c.headers = []string{jsonType, basic("a+b%:s/=:+")}
	s.token(t, c)
	c.headers = []string{jsonType, basic("a%2Bb%25:s%2F%3D%3A%2B")}
	if r := s.do(t, c); r.status != 401 {
		t.Errorf("form-encoded credentials: %d %s", r.status, r.body)
	}
}

func TestWeDaAPI(t *testing.T) {
	s := start(t, platformtest.NewWeDa(platformtest.Options{}))
	bearer := "Authorization: Bearer " + s.token(t, wedaTokenCall)
	path := "/weda/odata/v1/prod/sys_user"
	s.table(t, []row{
		{"GET", call{"GET", path + "?$top=1", []string{jsonType, bearer}, ""}, 200, `"query":"$top=1"`},
		{"GET without type", call{"GET", path, []string{bearer}, ""}, 200, path},
		{"POST", call{"POST", path, []string{jsonType, bearer}, "{}"}, 200, `"body_length":2`},
		{"POST without body", call{"POST", path, []string{jsonType, bearer, "Content-Length: 0"}, ""}, 200, "POST"},
		{"PUT", call{"PUT", path, []string{jsonType + "; charset=UTF-8", bearer}, "{}"}, 200, "PUT"},
		{"DELETE", call{"DELETE", path, []string{bearer}, ""}, 200, "DELETE"},
		{"PATCH", call{"PATCH", path, []string{jsonType, bearer}, "{}"}, 400, "BAD_REQUEST"},
		{"form", call{"POST", path, []string{formType, bearer}, "a=b"}, 400, "BAD_REQUEST"},
		{"other charset", call{"POST", path, []string{jsonType + "; charset=gbk", bearer}, "{}"}, 400, "BAD_REQUEST"},
		{"outside", call{"GET", "/", []string{bearer}, ""}, 404, "BAD_REQUEST"},
		{"token path with slash", call{"POST", "/auth/v1/token/clientCredential/", []string{jsonType, bearer}, "{}"}, 404, "BAD_REQUEST"},
		{"two tokens", call{"GET", path, []string{bearer, bearer}, ""}, 400, "BAD_REQUEST"},
		{"no token", call{"GET", path, nil, ""}, 200, "INVALID_ACCESS_TOKEN"},
		{"lower case", call{"GET", path, []string{"Authorization: bearer" + bearer[len("Authorization: Bearer"):]}, ""}, 200, "INVALID_ACCESS_TOKEN"},
		{"unknown token", call{"GET", path, []string{"Authorization: Bearer x"}, ""}, 200, "jwt malformed"},
		{"permission", call{"GET", path + "/forbidden?a", []string{bearer}, ""}, 403, "PERMISSION_DENIED"},
		{"rate", call{"GET", path + "/ratelimit", []string{bearer}, ""}, 429, "EXCEED_RATELIMIT"},
	})
	got := s.Counts()
	if got.APIRequests != 17 || got.Accepted != 6 || got.Refused != 3 || got.Denied != 2 || got.BadRequests != 6 {
		t.Errorf("counts: %+v", got)
	}
}

func TestWeDaRefusalStatus(t *testing.T) {
	s := start(t, platformtest.NewWeDa(platformtest.Options{}))
	c := call{"GET", "/weda/a", []string{"Authorization: Bearer " + s.token(t, wedaTokenCall)}, ""}
	s.RevokeAll()
	for _, status := range []int{200, 401, 403} {
		s.SetRefusalStatus(status)
		if r := s.do(t, c); r.status != status || r.field(t, "code") != "INVALID_ACCESS_TOKEN" || r.field(t, "requestId") == "" {
			t.Errorf("want %d, got %d %s", status, r.status, r.body)
		}
	}
	s.SetRefusalCode("INVALID_CREDENTIALS")
	if r := s.do(t, c); r.field(t, "code") != "INVALID_CREDENTIALS" {
		t.Error(r.body)
	}
}

func TestWeDaErrorShapes(t *testing.T) {
	if len(platformtest.WeDaCodes()) != 13 {
		t.Error(platformtest.WeDaCodes())
	}
	var shape struct {
		Response struct {
			RequestId string
			Error     struct{ Code, Message string }
		}
	}
	text := platformtest.WeDaBusinessError("InvalidParameter", "参数错误")
	if err := json.Unmarshal([]byte(text), &shape); err != nil {
		t.Fatal(err)
	}
	if shape.Response.RequestId == "" || shape.Response.Error.Code != "InvalidParameter" || shape.Response.Error.Message != "参数错误" {
		t.Error(text)
	}
}

func TestWeDaPrivateHasTwoTokens(t *testing.T) {
	s := start(t, platformtest.NewWeDaPrivate(platformtest.Options{}))
	client := "Authorization: Bearer " + s.token(t, wedaTokenCall)
	user := "Authorization: Bearer " + s.token(t, signInCall)
	get := func(path, token string) call { return call{"GET", path, []string{token}, ""} }
	s.table(t, []row{
		{"workflow, client", get("/weda/workflow/v1/prod/DescribeInstanceApproverList", client), 200, `"granted":"client"`},
		{"workflow, user", get("/weda/workflow/v1/prod/DescribeInstanceApproverList", user), 200, "INVALID_ACCESS_TOKEN"},
		{"model, user", get("/weda/odata/v1/prod/sys_user", user), 200, `"granted":"user"`},
		{"model, client", get("/weda/odata/v1/prod/sys_user", client), 200, "INVALID_ACCESS_TOKEN"},
		{"storage, user", call{"PUT", "/weda/storage/a.png", []string{"Content-Type: image/png", user}, "png"}, 200, `"granted":"user"`},
		{"storage, client", get("/v1/storages/a", client), 200, "INVALID_ACCESS_TOKEN"},
		{"permission API, client", get("/weda/permission/v1/roles", client), 200, `"granted":"client"`},
		{"outside", get("/other", client), 404, "BAD_REQUEST"},
		{"client's life", wedaTokenCall, 200, `"expires_in":259200`},
		{"user's life", signInCall, 200, `"expires_in":7200`},
	})
}
