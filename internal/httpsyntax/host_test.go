package httpsyntax

import "testing"

func TestHostname(t *testing.T) {
	for host, want := range map[string]string{
		"": "", "App.Local": "app.local", "app.local:80": "app.local", "localhost.": "localhost", "LOCALHOST.:80": "localhost", "x:": "x",
		"[::1]": "::1", "[::1]:80": "::1", "::1": "::1", "[0:0:0:0:0:0:0:1]": "::1", "[0:0::1]:80": "::1", "[FD00::A]": "fd00::a", "0:0:0:0:0:0:0:1": "::1",
		"[::ffff:127.0.0.1]:1": "127.0.0.1", "127.0.0.1:8080": "127.0.0.1", "127.0.0.1.": "127.0.0.1",
		// These are no addresses, and no Host of RFC 3986.
		"127.1": "127.1", "127.0.0.01": "127.0.0.01", "0x7f.0.0.1": "0x7f.0.0.1", "2130706433": "2130706433", "localhost..": "localhost..", ".": ".",
		"localhost:evil": "localhost:evil", "localhost:80x": "localhost:80x", "localhost:-1": "localhost:-1", "localhost:+80": "localhost:+80", "localhost:99999": "localhost:99999",
		"localhost:80:80": "localhost:80:80", "localhost:evil:80": "localhost:evil:80", "[::1]:evil": "[::1]:evil", "[::1]80": "[::1]80", "[::1": "[::1", "::1]": "::1]",
		"[fe80::1%eth0]": "[fe80::1%eth0]", "[": "[", "[]": "[]", "[]::1]": "[]::1]", "[localhost]": "[localhost]", "[127.0.0.1]": "[127.0.0.1]", "[::1.]": "[::1.]", "[::1].": "[::1].", "a:b:c": "a:b:c", "me@localhost": "me@localhost",
	} {
		if got := Hostname(host); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
	for _, host := range []string{"localhost:8080", "127.0.0.1:8080", "[::1]:8080", "weda.local"} {
		if n := testing.AllocsPerRun(100, func() { Hostname(host) }); n > 0 {
			t.Errorf("%s: %v allocations", host, n)
		}
	}
}

// FuzzHostname: no Host but a well-formed one comes to a name without a colon
// that it does not begin with, and the form is final.
func FuzzHostname(f *testing.F) {
	f.Add("localhost:evil")
	f.Add("[0:0::1]:80")
	f.Fuzz(func(t *testing.T, host string) {
		name := Hostname(host)
		if again := Hostname(name); again != name && host != name {
			t.Errorf("%q: %q, then %q", host, name, again)
		}
	})
}
