package endpoint

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"authproxy/internal/httpsyntax"
)

// AuthMethod is a way in which a client authenticates itself at a token
// endpoint (RFC 6749 section 2.3).
type AuthMethod struct {
	// Name is what stands in [Request.Auth].
	Name string
	// Needs are the names of the secrets that it uses; each has to be in
	// [Options.Secrets].
	Needs []string
	// Header is the name of the header that it writes, in the spelling of
	// net/http, and that [Request.Headers] must not hold then; empty for none.
	Header string

	value func(values) (string, error) // of the header; the error names no secret
}

// The names of the secrets of a client.
const (
	clientID     = "client_id"
	clientSecret = "client_secret"
)

// AuthMethods lists the methods that there are. The first one does nothing, and
// is what an empty [Request.Auth] means.
func AuthMethods() []AuthMethod {
	return []AuthMethod{
		{Name: "none"},
		{Name: "basic", Needs: []string{clientID, clientSecret}, Header: "Authorization", value: basicEncoded},
		{Name: "basic_raw", Needs: []string{clientID, clientSecret}, Header: "Authorization", value: basicRaw},
	}
}

// basicEncoded is Basic of id and secret that were form-encoded before they are
// joined (RFC 6749 section 2.3.1).
func basicEncoded(v values) (string, error) {
	return basic(url.QueryEscape(v[clientID]), url.QueryEscape(v[clientSecret]))
}

// basicRaw is Basic of id and secret as they are (RFC 7617).
func basicRaw(v values) (string, error) {
	id, secret := v[clientID], v[clientSecret]
	if strings.Contains(id, ":") || httpsyntax.HasControl(id+secret) {
		return "", errors.New("with auth basic_raw no colon may stand in client_id, and no control character in it or in client_secret")
	}
	return basic(id, secret)
}

func basic(id, secret string) (string, error) {
	if id == "" {
		return "", errors.New("client_id is empty")
	}
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret)), nil
}

// authMethod returns the method of that name.
func authMethod(name string) (method AuthMethod, ok bool) {
	all := AuthMethods()
	if name == "" {
		return all[0], true
	}
	for _, m := range all {
		if m.Name == name {
			return m, true
		}
	}
	return AuthMethod{}, false
}

// authenticate writes the header of m into req.
func (m AuthMethod) authenticate(req *http.Request, v values) error {
	if m.value == nil {
		return nil
	}
	text, err := m.value(v)
	if err != nil {
		return err
	}
	req.Header.Set(m.Header, text)
	return nil
}
