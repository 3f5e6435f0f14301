package main

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// relay passes connections on, until they are killed: then it swallows what comes, as
// a firewall does that has forgotten them.
type relay struct {
	net.Listener
	to string

	mu    sync.Mutex
	conns []*atomic.Bool // the switches of those that live
}

func newRelay(to string) (*relay, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{Listener: l, to: to}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.pass(c)
		}
	}()
	return r, nil
}

// kill has the connections that there are die.
func (r *relay) kill() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, dead := range r.conns {
		dead.Store(true)
	}
	r.conns = nil
}

func (r *relay) pass(c net.Conn) {
	up, err := net.Dial("tcp", r.to)
	if err != nil {
		_ = c.Close()
		return
	}
	dead := new(atomic.Bool)
	r.mu.Lock()
	r.conns = append(r.conns, dead)
	r.mu.Unlock()
	go pump(up, c, dead, true)
	pump(c, up, dead, false)
}

// pump copies from one side to the other while the connection lives. Of a dead one
// only the client's end is seen.
func pump(to, from net.Conn, dead *atomic.Bool, fromClient bool) {
	defer func() {
		if fromClient || !dead.Load() {
			_ = to.Close()
			_ = from.Close()
		}
	}()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if dead.Load() {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil && err != io.ErrShortWrite {
			return
		}
	}
}
