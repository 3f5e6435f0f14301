package proxy

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestQueryPolicy(t *testing.T) {
	p := newPolicy(Options{
		Query: Query{
			Set:  map[string]string{"sudo": "loginName:{header.X-Sudo-User}", "v": "1"},
			Drop: []string{"tenantId", "access_token"},
		},
	})
	user := http.Header{"X-Sudo-User": {"a b&c"}}
	for _, c := range []struct {
		client http.Header
		raw    string
		want   string
	}{
		{nil, "", "v=1"},
		{nil, "a=1;b=2&c=%zz&d=+", "a=1;b=2&c=%zz&d=+&v=1"},
		{nil, "sudo=uid:1&v=9&v=8&a", "a&v=1"},
		{nil, "%73udo=uid:1&s%75do=2&a", "a&v=1"},
		{nil, "a=1;sudo=uid:1;b=2", "a=1;b=2&v=1"},
		{nil, "tenantId=1&access_token=x&tenantCode=2", "tenantCode=2&v=1"},
		{nil, "a=sudo&sudoku=1&xsudo=1", "a=sudo&sudoku=1&xsudo=1&v=1"},
		{nil, "Sudo=1&a=%2B&sudo[]=2;sudo%5bx%5D=3&%20sudo&sudo%00=4&%2573udo=5&access.token=6&b=1%26sudo=", "a=%2B&b=1%26sudo=&v=1"},
		{nil, "&&a", "&&a&v=1"},
		{user, "sudo=uid:1", "sudo=loginName:a+b%26c&v=1"},
	} {
		if got := p.query(c.raw, c.client); got != c.want {
			t.Errorf("%q became %q, want %q", c.raw, got, c.want)
		}
	}
}

func FuzzQueryPolicy(f *testing.F) {
	f.Add("a=1&sudo=2;%73udo=3")
	f.Add("s+udo&%73ud%6F=x&&;=")
	f.Fuzz(func(t *testing.T, raw string) {
		r := &http.Request{URL: &url.URL{RawQuery: raw}}
		newInQuery("access_token").Strip(r)
		got := newPolicy(Options{Query: Query{Drop: []string{"sudo"}}}).query(r.URL.RawQuery, nil)
		for _, separators := range []string{"&", "&;"} {
			for _, piece := range strings.FieldsFunc(got, func(r rune) bool { return strings.ContainsRune(separators, r) }) {
				name, _, _ := strings.Cut(piece, "=")
				if decoded, err := url.QueryUnescape(name); err == nil && (decoded == "sudo" || decoded == "access_token") {
					t.Errorf("%q became %q", raw, got)
				}
			}
		}
		letters := strings.ToLower(strings.Map(letter, raw))
		if !strings.ContainsAny(letters, "x") && !strings.Contains(letters, "sudo") && !strings.Contains(letters, "accesstoken") && got != raw {
			t.Errorf("%q became %q", raw, got)
		}
	})
}

// letter drops all ASCII but letters; what may encode a letter becomes an x.
func letter(r rune) rune {
	switch {
	case r == '%' || r > '~':
		return 'X'
	case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z':
		return r
	default:
		return -1
	}
}

func TestHeaderPolicy(t *testing.T) {
	client := http.Header{
		"Content-Type": {"x"}, "User-Agent": {"curl"}, "X-A": {"1", "2"}, "X_b": {"u"}, "X-B": {"h"},
		"Authorization": {"Basic mine"}, "X-Sudo-User": {"joe"}, "X-Forwarded-For": {"1.2.3.4"}, "Forwarded": {"for=x"},
		"Connection": {"Upgrade, forwarded"}, "Upgrade": {"h2c"},
	}
	for name, c := range map[string]struct {
		opts Options
		want []string
	}{
		"everything passes": {Options{}, []string{"Content-Type", "User-Agent", "X-A", "X-B", "X-Forwarded-For", "X-Sudo-User", "X_b"}},
		"allow":             {Options{Headers: Headers{Allow: []string{"content-type"}}}, []string{"Content-Type"}},
		"drop with a twin":  {Options{Headers: Headers{Drop: []string{"x-b", "USER_AGENT"}}}, []string{"Content-Type", "X-A", "X-Forwarded-For", "X-Sudo-User"}},
		"set": {Options{Headers: Headers{Set: map[string]string{"X-User": "u-{header.x-sudo-user}!", "X-None": "{header.None}"}}},
			[]string{"Content-Type", "User-Agent", "X-A", "X-B", "X-Forwarded-For", "X-User", "X_b"}},
		"websocket only": {Options{Upgrades: []string{"websocket"}, Headers: Headers{Allow: []string{"Upgrade"}}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			out := client.Clone()
			for _, gone := range []string{"X-Forwarded-For", "Forwarded"} { // as ReverseProxy has it
				delete(out, gone)
			}
			outgoing(newPolicy(c.opts), inHeaderOf("authorization", ""), out, client)
			if got := slices.Sorted(maps.Keys(out)); !slices.Equal(got, c.want) {
				t.Errorf("passed %v, want %v", got, c.want)
			}
			if v := out.Get("X-User"); v != "" && v != "u-joe!" {
				t.Errorf("X-User: %s", v)
			}
		})
	}
}

// outgoing makes out what goes upstream of the client's headers, as rewrite does.
func outgoing(p *policy, a Authorizer, out, client http.Header) {
	restoreForwarded(out, client)
	a.Strip(&http.Request{Header: out})
	p.headers(out, client)
}

// FuzzHeaderPolicy: whatever a client calls its headers, none passes that is
// dropped or set, or that a CGI-style server takes for one of these.
func FuzzHeaderPolicy(f *testing.F) {
	f.Add("Authorization", "x", "Connection")
	f.Add("X_sudo-User", "joe", "x-allowed")
	f.Add("authorization", "", "AUTHORIZATION")
	f.Fuzz(func(t *testing.T, one, value, two string) {
		p := newPolicy(Options{Headers: Headers{Drop: []string{"X-Internal"}, Set: map[string]string{"X-User": "{header.X-Sudo-User}"}}})
		client := http.Header{}
		client.Add(one, value)
		client.Add(two, value)
		out := client.Clone()
		outgoing(p, inHeaderOf("Authorization", ""), out, client)
		for name, values := range out {
			plain := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
			if plain == "authorization" || plain == "x-internal" || plain == "x-sudo-user" {
				t.Errorf("%q passed from %q and %q", name, one, two)
			}
			if plain == "x-user" && (name != "X-User" || len(values) != 1 || values[0] != client.Get("X-Sudo-User")) {
				t.Errorf("%q: %q came from the client", name, values)
			}
		}
	})
}
