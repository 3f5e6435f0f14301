package listen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
)

// peerKey is where the context of a connection holds its peer.
type peerKey struct{}

// peer is the user whose process is at the other end of a connection.
type peer struct {
	uid uint32
	err error // why it is not known
}

// WithPeer is the ConnContext of an [http.Server]: it notes whose process has connected to
// a unix socket, and who is at the other end of TLS.
func WithPeer(ctx context.Context, c net.Conn) context.Context {
	if counted, ok := c.(*fewConn); ok {
		c = counted.Conn
	}
	switch conn := c.(type) {
	case *tlsConn:
		return context.WithValue(ctx, callerKey{}, &caller{conn: conn})
	case *unixConn, *net.UnixConn:
		uid, err := peerUID(c)
		return context.WithValue(ctx, peerKey{}, peer{uid, err})
	}
	return ctx
}

// Peer says who sent r, on a server with [WithPeer]: the subject of a certificate that was
// found good, the user of the process behind a unix socket, or an address; empty when that
// is not known. It is for people: an authority chooses the subjects.
func Peer(r *http.Request) string {
	if c, ok := r.Context().Value(callerKey{}).(*caller); ok {
		if name := c.subject(); name != "" {
			return name
		}
	}
	if p, ok := r.Context().Value(peerKey{}).(peer); ok {
		if p.err != nil {
			return ""
		}
		return fmt.Sprint("uid ", p.uid)
	}
	return r.RemoteAddr
}

var errNoPeer = errors.New("the user who calls is not known")

// AllowUIDs returns a check that lets only requests of these users pass, on a
// server with [WithPeer]. It fails where the system cannot tell who connects.
func AllowUIDs(uids []int) (func(*http.Request) error, error) {
	if err := checkPeers(); err != nil {
		return nil, err
	}
	return func(r *http.Request) error {
		p, ok := r.Context().Value(peerKey{}).(peer)
		switch {
		case !ok || p.err != nil:
			return errNoPeer
		case !slices.Contains(uids, int(p.uid)):
			return fmt.Errorf("uid %d is not in allowed_uids: add it if it may use the token", p.uid)
		}
		return nil
	}, nil
}
