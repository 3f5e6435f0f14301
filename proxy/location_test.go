package proxy

import (
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestLocation(t *testing.T) {
	for _, c := range []struct{ target, strip, address, want string }{
		{"http://up:8080", "", "http://up:8080/x?y#z", "http://local:1/x?y#z"},
		{"http://up:8080", "", "HTTP://UP:8080", "http://local:1"},
		{"http://up", "", "http://up:80/x", "http://local:1/x"},
		{"https://up", "", "https://up/a%2Fb//c", "http://local:1/a%2Fb//c"},
		{"https://up", "", "//up:443/x", "http://local:1/x"},
		{"https://up", "", "http://up/x", "http://up/x"},
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
		target, _ := url.Parse(c.target)
		l := newLocation(Options{Target: target, StripPrefix: c.strip})
		client := httptest.NewRequest("GET", "http://local:1/", nil)
		if got := l.local(c.address, client); got != c.want {
			t.Errorf("%s seen from %s: %s, want %s", c.address, c.target, got, c.want)
		}
	}
}
