package endpoint

import (
	"net/http"
	"strings"
	"testing"
)

// TestAuthMethods: the table says of each method what it needs and writes.
func TestAuthMethods(t *testing.T) {
	for i, m := range AuthMethods() {
		v := values{}
		for _, need := range m.Needs {
			v[need] = "x"
		}
		req := &http.Request{Header: http.Header{}}
		if err := m.authenticate(req, v); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		if written := len(req.Header) > 0; written != (m.Header != "") || written && req.Header[m.Header] == nil {
			t.Errorf("%s writes %v", m.Name, req.Header)
		}
		if got, ok := authMethod(m.Name); !ok || got.Name != m.Name {
			t.Errorf("%s is not found", m.Name)
		}
		if got, ok := authMethod(""); i == 0 && (!ok || got.Name != m.Name || m.Header != "" || len(m.Needs) > 0) {
			t.Errorf("none is %s", m.Name)
		}
	}
	if _, ok := authMethod("digest"); ok {
		t.Error("digest is found")
	}
}

func TestAuthMethodWithoutItsSecrets(t *testing.T) {
	o := simple("http://h")
	o.Secrets = []string{"client_id", "username", "password"}
	o.Request.URL = "{base_url}/token"
	_, err := New(o)
	if err == nil || err.Error() != "request.auth: basic_raw needs client_secret, which is none of the secrets" {
		t.Error(err)
	}
}

func TestUnknownAuthMethod(t *testing.T) {
	o := simple("http://h")
	o.Request.Auth = "digest"
	if _, err := New(o); err == nil || !strings.Contains(err.Error(), `request.auth: "digest" is none of none, basic, basic_raw`) {
		t.Error(err)
	}
}
