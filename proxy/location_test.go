package proxy

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"authproxy/proxy/internal/target"
)

// seen is an answer's address, and what a client of http://local:1/c/d gets.
type seen struct{ target, strip, address, want string }

func (c seen) check(t *testing.T) {
	t.Helper()
	base, _ := url.Parse(c.target)
	a := newAddresses(Options{Target: base, StripPrefix: c.strip})
	client := httptest.NewRequest("GET", "http://local:1"+target.TrimSlash(c.strip)+"/c/d", nil)
	client.RequestURI = client.URL.RequestURI()
	if got := a.local(c.address, client); got != c.want {
		t.Errorf("%s seen from %s: %s, want %s", c.address, c.target, got, c.want)
	}
}

func TestLocation(t *testing.T) {
	for _, c := range []seen{
		{"http://up:8080", "", "http://up:8080/x?y#z", "http://local:1/x?y#z"},
		{"http://up:8080", "", "HTTP://UP:8080", "http://local:1"},
		{"http://up", "", "http://up:80/x", "http://local:1/x"},
		{"https://up", "", "https://up/a%2Fb//c", "http://local:1/a%2Fb//c"},
		{"https://up", "", "//up:443/x", "http://local:1/x"},
		{"http://up", "", "http://other/x", "http://other/x"},
		{"http://up", "", "http://up.evil/x", "http://up.evil/x"},
		{"http://up", "", "http://me@up/x", "http://me@up/x"},
		{"http://up", "", "/x?u=http://up/", "/x?u=http://up/"},
		{"http://up", "", "x/y", "x/y"},
		{"http://up/base", "", "http://up/base/x", "http://local:1/x"},
		{"http://up/base", "", "/base/x", "/x"},
		{"http://up/base", "", "http://up/basement", "http://up/basement"},
		{"http://up/base/", "/p/", "http://up/base/x", "http://local:1/p/x"},
		{"http://up", "/p/", "/x", "/p/x"},
		{"http://up", "", "::bad::", "::bad::"},
		{"http://up", "", "", ""},
	} {
		c.check(t)
	}
}

// TestLocationThatIsNoURL is one up to its path, which is all that matters here: a
// client that follows it would else leave without a token.
func TestLocationThatIsNoURL(t *testing.T) {
	for _, c := range []seen{
		{"https://up", "", "https://up/a%zzb", "http://local:1/a%zzb"},
		{"https://up", "", "https://up/100%", "http://local:1/100%"},
		{"https://up", "", "https://up/a b/[c]^{d}|?x=%&y= z#%", "http://local:1/a b/[c]^{d}|?x=%&y= z#%"},
		{"https://up/base", "/p", "https://up/base/\xff/ü?%zz", "http://local:1/p/\xff/ü?%zz"},
		{"https://up", "", "//up/%zz", "http://local:1/%zz"},
		{"https://up/base", "", "/base/%zz", "/%zz"},
		{"https://up", "", "https://u%zz/x", "https://u%zz/x"},
		{"https://up", "", "https://up:x/x", "https://up:x/x"},
		{"https://up", "", "https://up @evil/x", "https://up @evil/x"},
		{"https://up", "", "https://evil%zz@up/x", "https://evil%zz@up/x"},
		{"https://up", "", "urn:up:%zz", "urn:up:%zz"},
	} {
		c.check(t)
	}
}

// TestLocationThatLeadsElsewhere stays: here another upstream, or none, would get it.
func TestLocationThatLeadsElsewhere(t *testing.T) {
	for _, c := range []struct{ base, strip, address, want string }{
		{"https://up", "", "https://up/w/x", "http://local:1/w/x"},
		{"https://up", "", "https://up/w", "http://local:1/w"},
		{"https://up", "", "https://up/other/x", "https://up/other/x"},
		{"https://up", "", "https://up/w/../other/x", "https://up/w/../other/x"},
		{"https://up", "", "https://up/w/closed/x", "https://up/w/closed/x"},
		{"https://up", "", "https://up", "https://up"},
		{"https://up", "/w", "https://up/other/x", "http://local:1/w/other/x"},
		{"https://up", "/w", "https://up", "http://local:1/w"},
		{"https://up", "/w", "https://up/closed/x", "https://up/closed/x"},
		{"https://up/base", "/w", "/base/closed", "/base/closed"},
		{"https://up/base", "", "/base/w/x", "/w/x"},
	} {
		base, _ := url.Parse(c.base)
		a := newAddresses(Options{Target: base, StripPrefix: c.strip, ComesBack: func(_ *http.Request, path string) bool {
			return target.Under(path, "/w") && !target.Under(path, "/w/closed")
		}})
		client := httptest.NewRequest("GET", "http://local:1/w/d", nil)
		client.RequestURI = client.URL.RequestURI()
		if got := a.local(c.address, client); got != c.want {
			t.Errorf("%s of %s: %s, want %s", c.address, c.base, got, c.want)
		}
	}
}

// TestLinksAreRewrittenInLinearTime: four megabytes of what is hardest to read.
func TestLinksAreRewrittenInLinearTime(t *testing.T) {
	for _, unit := range []string{"<,", "<", "<>", "<>,", ",", "\"", "<a>;b=\"", "a,<"} {
		field := strings.Repeat(unit, 4<<20/len(unit))
		done := make(chan string, 1)
		go func() { done <- rewriteLinks(field, func(address string) string { return address }) }()
		select {
		case got := <-done:
			if got != field {
				t.Errorf("%s: something else came out", unit)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: takes longer than 10 s", unit)
		}
	}
}

// TestLocationByHTTPOrHTTPS: platforms that do not know of the TLS before them
// write http, and the port may be left out where it is the scheme's.
func TestLocationByHTTPOrHTTPS(t *testing.T) {
	for _, c := range []seen{
		{"https://up", "", "http://up/v2/next", "http://local:1/v2/next"},
		{"https://up", "", "http://up:80/x", "http://local:1/x"},
		{"https://up", "", "http://up:443/x", "http://local:1/x"},
		{"https://up", "", "http://up:/x", "http://local:1/x"},
		{"https://up:443", "", "http://up/x", "http://local:1/x"},
		{"http://up", "", "https://up/x", "http://local:1/x"},
		{"https://up:8443", "", "http://up:8443/x", "http://local:1/x"},
		{"https://up/v2", "/p", "http://up/v2/x", "http://local:1/p/x"},
		{"https://up", "", "http://UP./x", "http://local:1/x"},
		{"https://[::1]", "", "http://[0:0:0:0:0:0:0:1]/x", "http://local:1/x"},

		{"https://up:8443", "", "http://up/x", "http://up/x"}, // perhaps another program's
		{"https://up:8443", "", "//up/x", "//up/x"},
		{"https://up", "", "https://up:80/x", "https://up:80/x"},
		{"https://up", "", "https://up:8443/x", "https://up:8443/x"},
		{"https://up", "", "ftp://up/x", "ftp://up/x"},
		{"https://up", "", "wss://up/x", "wss://up/x"},
		{"https://up", "", "http:/x", "http:/x"},
		{"https://up", "", "http:up/x", "http:up/x"},
		{"https://up", "", "http:///x", "http:///x"},
		{"https://up", "", "https://up%2eevil/x", "https://up%2eevil/x"},
		{"https://up", "", `https://up\.evil/x`, `https://up\.evil/x`},
		{"https://[::1]", "", "http://[::2]/x", "http://[::2]/x"},
		{"https://up", "", "http://up:99999/x", "http://up:99999/x"},
	} {
		c.check(t)
	}
}

// TestLocationWithDotSegments: an address that leaves the base path is not ours,
// and a relative one means another path to the client than to the upstream where
// it climbs into the prefix.
func TestLocationWithDotSegments(t *testing.T) {
	for _, c := range []seen{
		{"http://up/base", "", "http://up/base/../admin", "http://up/base/../admin"},
		{"http://up/base", "", "http://up/base/%2e%2e/admin", "http://up/base/%2e%2e/admin"},
		{"http://up/base", "", "http://up/base/%2F../admin", "http://up/base/%2F../admin"},
		{"http://up/base", "", "http://up/base/..;/admin", "http://up/base/..;/admin"},
		{"http://up/base", "", `http://up/base/\..\admin`, `http://up/base/\..\admin`},
		{"http://up/base", "", "http://up/base/a/../b/.", "http://local:1/b/"},
		{"http://up/base", "", "http://up/x/../base/b", "http://local:1/b"},
		{"http://up/base", "", "http://up/base/.well-known/x", "http://local:1/.well-known/x"},
		{"http://up", "", "http://up/a/../b", "http://local:1/a/../b"},
		{"http://up", "/p", "/../x", "/p/x"},

		{"http://up/base", "", "e", "e"},
		{"http://up/base", "", "../e", "../e"},
		{"http://up/base", "", "../../base/e?q=..", "/e?q=.."},
		{"http://up/base", "", "../../elsewhere", "../../elsewhere"},
		{"http://up", "/p", "../../e#f", "/p/e#f"},
		{"http://up", "/p", "../e", "../e"},
		{"http://up/base", "/p", "?q", "?q"},
		{"http://up/base", "/p", "#f", "#f"},
		{"http://up/base", "/base", "../../base/e", "../../base/e"},
	} {
		c.check(t)
	}
}

func TestRewriteOfAddresses(t *testing.T) {
	base, _ := url.Parse("https://up/v2")
	client := httptest.NewRequest("GET", "http://local:1/x", nil)
	for name, c := range map[string]struct {
		options     Options
		field       string
		value, want []string
	}{
		"a second Location": {Options{}, "Location", []string{"http://up/v2/a", "http://up/v2/b"}, []string{"http://local:1/a", "http://local:1/b"}},
		"Content-Location":  {Options{}, "Content-Location", []string{"http://up/v2/a"}, []string{"http://local:1/a"}},
		"a link":            {Options{}, "Link", []string{`<http://up/v2/a>; rel="next"`}, []string{`<http://local:1/a>; rel="next"`}},
		"links": {Options{}, "Link",
			[]string{`<http://up/v2/a,b;c>; title="x, <http://up/v2/y>\", z" ,, </v2/b>;rel=prev,<http://other/>`, `<https://up/v2/c>;anchor="http://up/v2/d"`},
			[]string{`<http://local:1/a,b;c>; title="x, <http://up/v2/y>\", z" ,, </b>;rel=prev,<http://other/>`, `<http://local:1/c>;anchor="http://up/v2/d"`}},
		"no link":                    {Options{}, "Link", []string{`http://up/v2/a`, `<http://up/v2/a`, `x <http://up/v2/a>`, ``}, []string{`http://up/v2/a`, `<http://up/v2/a`, `x <http://up/v2/a>`, ``}},
		"a link behind what is none": {Options{}, "Link", []string{`garbage, "a, b",;;,<http://up/v2/a>;x="`, `<>,<http://up/v2/b>`}, []string{`garbage, "a, b",;;,<http://local:1/a>;x="`, `<>,<http://local:1/b>`}},
		"another header":             {Options{}, "Operation-Location", []string{"http://up/v2/a"}, []string{"http://up/v2/a"}},
		"a named header":             {Options{AddressHeaders: []string{"operation-location"}}, "Operation-Location", []string{"http://up/v2/a"}, []string{"http://local:1/a"}},
		"kept":                       {Options{KeepLocation: true}, "Location", []string{"http://up/v2/a"}, []string{"http://up/v2/a"}},
		"kept links":                 {Options{KeepLocation: true}, "Link", []string{"<http://up/v2/a>"}, []string{"<http://up/v2/a>"}},
		"kept but one":               {Options{KeepLocation: true, AddressHeaders: []string{"X-Next"}}, "X-Next", []string{"http://up/v2/a"}, []string{"http://local:1/a"}},
		"named twice":                {Options{StripPrefix: "/v2/p", PreserveHost: true, AddressHeaders: []string{"location"}}, "Location", []string{"http://up/v2/a"}, []string{"http://local:1/v2/p/a"}},
		"the client's Host": {Options{PreserveHost: true}, "Location",
			[]string{"https://local:1/v2/a", "http://LOCAL:1/v2/a", "http://local/v2/a", "http://local:1/other"},
			[]string{"http://local:1/a", "http://local:1/a", "http://local/v2/a", "http://local:1/other"}},
		"a Host that is not sent": {Options{}, "Location", []string{"http://local:1/v2/a"}, []string{"http://local:1/v2/a"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.Target = base
			header := http.Header{c.field: c.value}
			newAddresses(c.options).rewrite(header, client)
			if got, want := strings.Join(header[c.field], "\n"), strings.Join(c.want, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestAddressesOfTLS: a client that came by TLS is sent back by it.
func TestAddressesOfTLS(t *testing.T) {
	base, _ := url.Parse("http://up")
	client := httptest.NewRequest("GET", "/", nil)
	client.TLS, client.Host = &tls.ConnectionState{}, "local"
	if got := newAddresses(Options{Target: base}).local("http://up/x", client); got != "https://local/x" {
		t.Error(got)
	}
}

func TestAddressesCostNothingWhereThereAreNone(t *testing.T) {
	base, _ := url.Parse("http://up/v2")
	a := newAddresses(Options{Target: base, AddressHeaders: []string{"Operation-Location"}})
	client := httptest.NewRequest("GET", "/", nil)
	header := http.Header{"Content-Type": {"application/json"}, "Date": {"x"}}
	if n := testing.AllocsPerRun(100, func() { a.rewrite(header, client) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzAddresses: what is not below the base stays as it is, and what is becomes
// one of the client's.
func FuzzAddresses(f *testing.F) {
	for _, s := range []string{"http://up/base/x", "//up/base", "/base//x", `/base/\x`, "../../base", "http://up/base/..", "<http://up/base>;a=\"<\"", "http://[::1]/", "http:up", "*"} {
		f.Add(s, "/c/d")
	}
	base, _ := url.Parse("https://up/base")
	a := newAddresses(Options{Target: base, StripPrefix: "/p/", AddressHeaders: []string{"X"}})
	f.Fuzz(func(t *testing.T, address, sent string) {
		client := httptest.NewRequest("GET", "http://local:1/", nil)
		if _, err := url.ParseRequestURI(sent); err != nil {
			return // the server lets none in
		}
		client.RequestURI = sent
		a.rewrite(http.Header{"Location": {address}, "Link": {address}, "X": {address}, "Set-Cookie": {address}}, client)
		got := a.local(address, client)
		if got == address {
			return
		}
		origin, _ := splitOrigin(address)
		u, err := url.Parse(origin)
		if err != nil || u.Host != "" && !strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), "up") || u.User != nil {
			t.Errorf("%q became %q", address, got)
		}
		origin, rest := splitOrigin(got)
		path, _, _ := strings.Cut(rest, "#")
		path, _, _ = strings.Cut(path, "?")
		if origin != "" && origin != "http://local:1" || !target.Under(path, "/p") {
			t.Errorf("%q became %q", address, got)
		}
		if _, fragment, _ := strings.Cut(address, "#"); !strings.HasSuffix(got, fragment) {
			t.Errorf("%q became %q", address, got)
		}
	})
}
