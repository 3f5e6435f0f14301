package platformtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Echo is how the API describes an accepted request: the whole body on WeDa,
// WeDa private, CloudBase and OAuth2, the field "data" on HENGSHI and
// Gongjiangyun. It never holds the token.
type Echo struct {
	// Method is the method as it came.
	Method string `json:"method"`
	// Path is the path of the request target, byte for byte.
	Path string `json:"path"`
	// Query is the query of the request target, byte for byte; where the token
	// stood in it, "access_token=***".
	Query string `json:"query"`
	// BodyLength is the body's length in bytes.
	BodyLength int64 `json:"body_length"`
	// BodySHA256 is the body's hash in hex.
	BodySHA256 string `json:"body_sha256"`
	// User is the effective user on HENGSHI: the value of sudo, such as "uid:7".
	User string `json:"user,omitempty"`
	// Tenant is the tenant on HENGSHI, such as "tenantId:3".
	Tenant string `json:"tenant,omitempty"`
	// Granted is the kind of token: [GrantedClient] or [GrantedUser].
	Granted string `json:"granted"`
}

// The kinds of token. Only WeDa private hands out both (WeDa private, 4.1).
const (
	// GrantedClient: got with an id and a secret.
	GrantedClient = "client"
	// GrantedUser: got with a user name and a password.
	GrantedUser = "user"
)

// DecodeEcho reads the [Echo] out of any platform's success answer. It fails
// when there is none.
func DecodeEcho(body []byte) (Echo, error) {
	var shape struct {
		Echo
		Data *Echo `json:"data"`
	}
	if err := json.Unmarshal(body, &shape); err != nil {
		return Echo{}, fmt.Errorf("platformtest: not an echo: %w", err)
	}
	e := shape.Echo
	if shape.Data != nil {
		e = *shape.Data
	}
	if e.Method == "" {
		return Echo{}, fmt.Errorf("platformtest: not an echo: %.200q", body)
	}
	return e, nil
}

func echoOf(r *http.Request, seen *Seen, granted pass) Echo {
	query := rawQuery(r)
	if granted.inQuery {
		query = maskParameter(query, "access_token")
	}
	return Echo{Method: r.Method, Path: rawPath(r), Query: query, BodyLength: seen.BodyLength,
		BodySHA256: seen.BodySHA256, User: granted.user, Tenant: granted.tenant, Granted: granted.granted}
}

func bareEcho(e Echo) any { return e }

func rawPath(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	return path
}

func rawQuery(r *http.Request) string {
	_, query, _ := strings.Cut(r.RequestURI, "?")
	return query
}
