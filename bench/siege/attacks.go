package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"authproxy/bench/internal/proc"
)

// attack is what somebody sends, to the address of a listener.
type attack struct {
	name string
	send func(address string) (stop func())
}

func attacks() []attack {
	return []attack{
		{"300 uploads of 1 MB at once", uploads},
		{"1,000 unfinished heads of 120 KiB, tiny fields", func(at string) func() { return heads(at, 1000, tinyFields(120<<10)) }},
		{"1,000 unfinished heads of 120 KiB, one field", func(at string) func() { return heads(at, 1000, oneField(120<<10)) }},
		{"1,000 whole heads of 120 KiB, tiny fields", func(at string) func() { return heads(at, 1000, tinyFields(120<<10)+"\r\n") }},
		{"1,000 connections that say nothing", func(at string) func() { return heads(at, 1000, "") }},
		{"1,000 streams of HTTP/2 on 4 connections", func(at string) func() { return streams(at, 4, 250, 100<<10, true) }},
		{"1,000 streams, the largest heads allowed", func(at string) func() { return streams(at, 4, 250, 20<<10, true) }},
		{"1,000 unfinished streams on 4 connections", func(at string) func() { return streams(at, 4, 250, 100<<10, false) }},
		{"4,000 streams on 16 connections, the largest heads", func(at string) func() { return streams(at, 16, 250, 20<<10, true) }},
		{"heads, streams and uploads together", together},
		{"100 connections of HTTP/2 with an unfinished head", func(at string) func() { return streams(at, 100, 1, 120<<10, false) }},
	}
}

// against starts the program and attacks it.
func (a attack) against(program, config, dir string) (idle, peak float64, err error) {
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return 0, 0, err
	}
	defer log.Close()
	p, err := proc.Run(log, program, "serve", "-c", config)
	if err != nil {
		return 0, 0, err
	}
	defer p.Stop()
	address := strings.TrimSuffix(strings.TrimPrefix(p.URL, "http://"), "/")
	resp, err := http.Get("http://" + address + "/")
	if err != nil {
		return 0, 0, err
	}
	_ = resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	idle = p.RSS()
	peak, err = p.PeakRSS(func() error {
		stop := a.send(address)
		time.Sleep(3 * time.Second)
		stop()
		return nil
	})
	return idle, peak, err
}

// tinyFields is a head without its end that is made of as many fields as fit.
func tinyFields(size int) string {
	var b strings.Builder
	b.WriteString("GET / HTTP/1.1\r\nHost: localhost\r\n")
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "%x:\r\n", i)
	}
	return b.String()
}

func oneField(size int) string {
	return "GET / HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", size)
}

// crowd runs f for n connections at once, and keeps them open until it is stopped.
func crowd(address string, n int, f func(net.Conn)) (stop func()) {
	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	for range n {
		all.Go(func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			f(c)
		})
	}
	return func() {
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		all.Wait()
	}
}

func heads(address string, n int, text string) func() {
	return crowd(address, n, func(c net.Conn) {
		_, _ = io.WriteString(c, text)
		_, _ = io.Copy(io.Discard, c)
	})
}

// uploads sends bodies to an upstream that reads slowly.
func uploads(address string) func() {
	body := bytes.Repeat([]byte("x"), 1_000_000)
	return crowd(address, 300, func(c net.Conn) {
		_, _ = fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", len(body))
		_, _ = c.Write(body)
		_, _ = io.Copy(io.Discard, c)
	})
}

// together sends of each kind at once.
func together(address string) func() {
	var stops []func()
	for _, send := range []func() func(){
		func() func() { return uploads(address) },
		func() func() { return heads(address, 1000, tinyFields(120<<10)) },
		func() func() { return streams(address, 4, 250, 20<<10, true) },
	} {
		stops = append(stops, send())
	}
	return func() {
		for _, stop := range stops {
			stop()
		}
	}
}

// frame is a frame of HTTP/2 (RFC 9113 section 4.1).
func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	head := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(head[5:], stream)
	return append(head, payload...)
}

// block is a head of so many bytes in fields of one letter (RFC 7541 section 6.2.2).
func block(size int) []byte {
	out := []byte{0x82, 0x86, 0x84} // GET, http, /
	out = append(out, 0x41, 9)      // :authority, kept in the table
	out = append(out, "localhost"...)
	for i := 0; len(out) < size; i++ {
		name := fmt.Sprintf("%x", i)
		out = append(out, 0, byte(len(name)))
		out = append(out, name...)
		out = append(out, 0)
	}
	return out
}

// streams opens n streams on each of that many connections, with heads of size bytes,
// finished or not.
func streams(address string, connections, n, size int, finished bool) func() {
	head := block(size)
	return crowd(address, connections, func(c net.Conn) {
		go func() { _, _ = io.Copy(io.Discard, c) }()
		_, _ = io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
		_, _ = c.Write(frame(4, 0, 0, []byte{0, 4, 0, 0, 0, 0})) // a window of nothing for each answer
		for i := range n {
			id := uint32(2*i + 1)
			for at, kind := 0, byte(1); at < len(head); kind = 9 { // HEADERS, then CONTINUATION
				end := min(at+16<<10, len(head))
				var flags byte
				if kind == 1 {
					flags |= 1 // END_STREAM
				}
				if end == len(head) && finished {
					flags |= 4 // END_HEADERS
				}
				if _, err := c.Write(frame(kind, flags, id, head[at:end])); err != nil {
					return
				}
				at = end
			}
			if !finished {
				return // nothing may follow but its rest
			}
		}
	})
}
