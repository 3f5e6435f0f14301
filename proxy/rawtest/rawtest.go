// Package rawtest has the other side of a connection, byte by byte, for tests
// of what net/http cannot be made to say.
package rawtest

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"
)

// patience bounds what is said and heard on a connection of [Dial].
const patience = 30 * time.Second

// Listen has talk serve each connection to address, HOST:PORT on loopback,
// until the end of the test. A connection is closed when talk returns.
func Listen(t testing.TB, talk func(conn net.Conn, in *bufio.Reader)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				talk(conn, bufio.NewReader(conn))
			}()
		}
	}()
	return l.Addr().String()
}

// Dial opens a connection to address, HOST:PORT, until the end of the test, and
// sends text on it. After half a minute, unless the test sets another deadline,
// reading from it fails, and writing to it.
func Dial(t testing.TB, address, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}
