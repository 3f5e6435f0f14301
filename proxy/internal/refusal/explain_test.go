package refusal

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"authproxy/internal/jsonpath"
)

// TestExplain: what is said of an answer agrees with what counts, and says which rule made it so.
func TestExplain(t *testing.T) {
	code := Match{Path: jsonpath.MustParse("code"), Values: []string{"INVALID", "EXPIRED*"}}
	id := Match{Path: jsonpath.MustParse("requestId"), Values: []string{"*"}}
	rules := Refusal{
		Rules: Rules{Status: []int{401}, Body: [][]Match{{code, id}}, Header: map[string][]string{"X-Auth": {"*expired*"}}},
		Not:   Rules{Header: map[string][]string{"X-Origin": {"app"}}},
		Wait:  time.Second,
	}
	d, head := New(rules), New(Refusal{Rules: Rules{Status: []int{401}}})
	for _, c := range []struct {
		detector *Detector
		status   int
		fields   []string
		body     string
		refused  bool
		want     string
	}{
		{d, 401, nil, "", true, "the status is 401 (invalid_token.status)"},
		{d, 200, []string{"X-Auth", "token expired"}, "{}", true, `the header X-Auth is "*expired*" (invalid_token.header)`},
		{d, 200, nil, `{"code":"EXPIRED_1","requestId":"r"}`, true, "code is INVALID or EXPIRED*, and requestId is * (invalid_token.body)"},
		{d, 200, nil, `{"code":"INVALID"}`, false, "nothing in it is named by invalid_token"},
		{d, 401, []string{"X-Origin", "app"}, "", false, "the status is 401 (invalid_token.status), but invalid_token.not excuses it"},
		{d, 401, []string{"WWW-Authenticate", `Bearer error="insufficient_scope"`}, "{}", false, "the status is 401, but WWW-Authenticate says that another token would be refused too (RFC 6750 section 3.1)"},
		{d, 200, nil, "<html>", false, "nothing in its head is named by invalid_token, and its body is not one JSON value"},
		{d, 200, []string{"Content-Type", "image/png"}, "x", false, "nothing in its head is named by invalid_token, and its body is of a kind or a length that is not looked into"},
		{d, 302, nil, "", false, "nothing in its head is named by invalid_token, and it has no body"},
		{head, 200, nil, `{"code":"INVALID"}`, false, "nothing in its head is named by invalid_token, which names nothing in a body"},
		{head, 204, nil, "", false, "nothing in its head is named by invalid_token, which names nothing in a body"},
	} {
		resp := &http.Response{StatusCode: c.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(c.body)), ContentLength: int64(len(c.body))}
		for i := 0; i < len(c.fields); i += 2 {
			resp.Header.Set(c.fields[i], c.fields[i+1])
		}
		refused, why := c.detector.Explain(resp)
		if refused != c.refused || why != c.want {
			t.Errorf("%d %q %s: %v, %q", c.status, c.fields, c.body, refused, why)
		}
	}
}
