package listen

import (
	"net"
	"os"
	"strings"
	"testing"
)

// passed is a socket as the service manager hands it over.
func passed(t *testing.T, network, address string) (*os.File, string) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	f, err := l.(interface{ File() (*os.File, error) }).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, l.Addr().String()
}

// TestInherited: all sockets of a name are served, what is not there is told of, and a
// socket can be opened again after it was closed.
func TestInherited(t *testing.T) {
	one, at := passed(t, "tcp", "127.0.0.1:0")
	two, too := passed(t, "tcp", "127.0.0.1:0")
	unix, _ := passed(t, "unix", t.TempDir()+"/s")
	far, _ := passed(t, "tcp", "0.0.0.0:0")
	all := Inherited{"app": {one, two}, "local": {unix}, "mixed": {one, unix}, "far": {one, far}}
	for range 2 {
		l, err := Open(Options{Address: "systemd:app", Inherited: all})
		if err != nil {
			t.Fatal(err)
		}
		for _, address := range []string{at, too} {
			go func() {
				if c, err := net.Dial("tcp", address); err == nil {
					_ = c.Close()
				}
			}()
			c, err := l.Accept()
			if err != nil || c.LocalAddr().String() != address {
				t.Fatal(c, err)
			}
			_ = c.Close()
		}
		_ = l.Close()
	}
	if all.IsUnix("app") || !all.IsUnix("local") || all.IsUnix("none") {
		t.Error("which are unix sockets is not known")
	}
	for name, c := range map[string]struct {
		given Inherited
		want  string
	}{
		"none":  {all, "app, far, local, mixed: write one of these, or FileDescriptorName=none"},
		"mixed": {all, "give them names of their own"},
		"far":   {all, "which other machines can reach"},
		"alone": {nil, "systemd has passed no sockets: start the socket unit"},
	} {
		l, err := Open(Options{Address: "systemd:" + name, Key: "admin.listen", AnywhereKey: "admin.allow_non_loopback", Inherited: c.given})
		if err == nil {
			_ = l.Close()
			t.Errorf("%s: it listens", name)
		} else if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "(admin.listen)") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
