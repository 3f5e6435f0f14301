package listen

import (
	"io"
	"net"
	"testing"
)

// TestFew: the oldest connection makes room for a new one, and those that were closed
// do not count.
func TestFew(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	bounded := Few(l, 2)
	connect := func() (ours, theirs net.Conn) {
		ours, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ours.Close() })
		theirs, err = bounded.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return ours, theirs
	}
	first, _ := connect()
	_, second := connect()
	_ = second.Close()
	third, end := connect() // there was room
	if _, err := end.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	fourth, _ := connect() // now the first goes
	if _, err := first.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the oldest: %v", err)
	}
	if n, err := third.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("a later one: %d, %v", n, err)
	}
	_ = fourth
}
