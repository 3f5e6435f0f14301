package listen

import (
	"net"
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
