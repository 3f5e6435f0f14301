package listen

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/coreos/go-systemd/v22/activation"
)

// Inherited are the sockets that the service manager has opened for the program, by name
// (sd_listen_fds(3)); several of one name are one listener.
type Inherited map[string][]*os.File

// Inherit takes the sockets over. There are none the next time.
func Inherit() Inherited {
	all := Inherited{}
	for _, f := range activation.Files(true) {
		all[f.Name()] = append(all[f.Name()], f)
	}
	return all
}

// IsUnix tells whether the sockets of that name are unix sockets.
func (i Inherited) IsUnix(name string) bool {
	l, err := i.open(name)
	if err != nil {
		return false
	}
	defer l.Close()
	return l.Addr().Network() == "unix"
}

// open returns what accepts the connections of the sockets of that name. That it is closed
// leaves them open.
func (i Inherited) open(name string) (net.Listener, error) {
	if len(i[name]) == 0 {
		return nil, i.missing(name)
	}
	var l net.Listener
	for _, f := range i[name] {
		next, err := net.FileListener(f)
		if err == nil && l != nil && next.Addr().Network() != l.Addr().Network() {
			err = errors.New("some are unix sockets and some are not: give them names of their own")
			_ = next.Close()
		}
		switch {
		case err != nil:
			if l != nil {
				_ = l.Close()
			}
			return nil, fmt.Errorf("the socket %q of systemd cannot be used: %w: it is to be one that accepts streams (ListenStream=, Accept=no)", name, cause(err))
		case l == nil:
			l = next
		default:
			l = join(l, next)
		}
	}
	return l, nil
}

func (i Inherited) missing(name string) error {
	if len(i) == 0 {
		return fmt.Errorf("systemd has passed no sockets: start the socket unit (systemctl start NAME.socket), which starts the service, and not the service by itself, or listen on an address")
	}
	return fmt.Errorf("systemd has passed no socket of that name, but %s: write one of these, or FileDescriptorName=%s into the [Socket] section", strings.Join(slices.Sorted(maps.Keys(i)), ", "), name)
}
