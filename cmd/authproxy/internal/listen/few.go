package listen

import (
	"net"
	"slices"
	"sync"
)

// Few returns l with at most n connections at a time: one more ends the one that has
// been open for longest. So who opens many and says nothing keeps nobody else out, and
// does not use up the descriptors of the process.
func Few(l net.Listener, n int) net.Listener { return &few{Listener: l, most: n} }

type few struct {
	net.Listener
	most int

	mu   sync.Mutex
	open []*fewConn // the oldest first
}

// fewConn is a connection that says when it is closed.
type fewConn struct {
	net.Conn
	of *few
}

// Accept implements [net.Listener].
func (f *few) Accept() (net.Conn, error) {
	raw, err := f.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &fewConn{raw, f}
	f.mu.Lock()
	var oldest *fewConn
	if len(f.open) >= f.most {
		oldest = f.open[0]
	}
	f.open = append(f.open, c)
	f.mu.Unlock()
	if oldest != nil {
		_ = oldest.Close()
	}
	return c, nil
}

// Close implements [net.Conn].
func (c *fewConn) Close() error {
	c.of.mu.Lock()
	c.of.open = slices.DeleteFunc(c.of.open, func(other *fewConn) bool { return other == c })
	c.of.mu.Unlock()
	return c.Conn.Close()
}
