package listen

import (
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// addressed is a listener at an address.
type addressed struct {
	net.Listener
	address string
}

func (a addressed) Addr() net.Addr {
	tcp, _ := net.ResolveTCPAddr("tcp", a.address)
	return tcp
}

// TestPlace: what is announced can be called from this machine.
func TestPlace(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:80": "http://127.0.0.1:80", "[::1]:80": "http://[::1]:80", "192.0.2.1:80": "http://192.0.2.1:80",
		"0.0.0.0:80": "http://localhost:80", "[::]:80": "http://localhost:80",
	} {
		if got := Place(address, addressed{nil, address}); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
	if got := Place("unix:/run/s", nil); got != "unix:/run/s" {
		t.Error(got)
	}
}

// TestWhyItDoesNotListen: each message names the key, and what to do.
func TestWhyItDoesNotListen(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, want := range map[string]string{
		taken.Addr().String():    "stop it, or give another port in admin.listen",
		"192.0.2.1:0":            "has no such address: give one that it has in admin.listen",
		"no-such-host.invalid:0": "the name does not resolve: give an address in admin.listen",
		"0.0.0.0:0":              "(admin.listen): it is [::]:",
	} {
		l, err := Open(Options{Address: address, Key: "admin.listen", AnywhereKey: "admin.allow_non_loopback"})
		if err == nil {
			_ = l.Close()
			t.Errorf("%s: it listens", address)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, want %q", address, err, want)
		}
	}
	denied := &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", syscall.EACCES)}
	if got := (Options{Key: "listen"}).remedy(denied); !strings.Contains(got, "below 1024") || !strings.Contains(got, "CAP_NET_BIND_SERVICE") {
		t.Error(got)
	}
}
