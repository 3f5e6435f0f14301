// Command websocket is a client and a server of an independent WebSocket
// library; see package peer for its command line.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"

	"github.com/coder/websocket"

	"authproxy/cmd/authproxy/testdata/interop/peer"
)

func main() { peer.Main(serve, cases) }

// limit is above the largest message of a case.
const limit = 4 << 20

func serve(l net.Listener) error { return http.Serve(l, http.HandlerFunc(echo)) }

// echo sends back each message, whole, of the kind that it came in. "close
// CODE REASON" has the server close; "vanish" has it drop the connection.
// Handshakes without the good token are refused.
func echo(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != peer.Good {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		http.Error(w, "the token is not good", http.StatusUnauthorized)
		return
	}
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"v2.example"}, CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(limit)
	for {
		kind, message, err := c.Read(r.Context())
		if err != nil {
			return
		}
		var code websocket.StatusCode
		var reason string
		if n, _ := fmt.Sscanf(string(message[:min(len(message), 100)]), "close %d %s", &code, &reason); n == 2 {
			_ = c.Close(code, reason)
			return
		}
		if string(message) == "vanish" {
			return
		}
		if c.Write(r.Context(), kind, message) != nil {
			return
		}
	}
}

var cases = map[string]peer.Case{
	"text":                       both(websocket.MessageText, []byte("Grüße, 世界 ☺"), []byte("")),
	"binary":                     both(websocket.MessageBinary, []byte{0, 1, 0xff, '\r', '\n'}, []byte{}),
	"one_mebibyte":               both(websocket.MessageBinary, pattern(1<<20), pattern(1<<20+1)),
	"every_length_at_a_boundary": both(websocket.MessageBinary, pattern(125), pattern(126), pattern(65535), pattern(65536)),
	"fragments":                  fragments,
	"compressed": func(ctx context.Context, url string) error {
		return session(ctx, url, &websocket.DialOptions{CompressionMode: websocket.CompressionContextTakeover}, func(c *websocket.Conn) error {
			return exchange(ctx, c, websocket.MessageText, bytes.Repeat([]byte("the same again "), 10000))
		})
	},
	"subprotocol": func(ctx context.Context, url string) error {
		return session(ctx, url, &websocket.DialOptions{Subprotocols: []string{"v1.example", "v2.example"}}, func(c *websocket.Conn) error {
			if got := c.Subprotocol(); got != "v2.example" {
				return fmt.Errorf("subprotocol %q", got)
			}
			return nil
		})
	},
	"ping_pong": func(ctx context.Context, url string) error {
		return session(ctx, url, nil, func(c *websocket.Conn) error {
			c.CloseRead(ctx) // reads the pongs
			for range 10 {
				if err := c.Ping(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	},
	"close_codes_of_the_server": closeCodes,
	"server_vanishes": func(ctx context.Context, url string) error {
		return session(ctx, url, nil, func(c *websocket.Conn) error {
			if err := c.Write(ctx, websocket.MessageText, []byte("vanish")); err != nil {
				return err
			}
			_, _, err := c.Read(ctx)
			if websocket.CloseStatus(err) != -1 || !errors.Is(err, io.EOF) {
				return fmt.Errorf("read: %v", err)
			}
			return nil
		})
	},
	"many_at_once": manyAtOnce,
}

func manyAtOnce(ctx context.Context, url string) error {
	failures := make(chan error)
	one := both(websocket.MessageText, []byte("one of many"), pattern(1000))
	for range 50 {
		go func() { failures <- one(ctx, url) }()
	}
	var all error
	for range 50 {
		all = errors.Join(all, <-failures)
	}
	return all
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * i >> 8)
	}
	return b
}

// session connects, does something, and closes: the server has to answer the
// close in turn.
func session(ctx context.Context, url string, o *websocket.DialOptions, do func(*websocket.Conn) error) error {
	c, resp, err := websocket.Dial(ctx, url, o)
	if err != nil {
		return fmt.Errorf("%w: %+v", err, resp)
	}
	defer c.CloseNow()
	c.SetReadLimit(limit)
	return do(c)
}

// both sends messages and wants each back.
func both(kind websocket.MessageType, messages ...[]byte) func(context.Context, string) error {
	return func(ctx context.Context, url string) error {
		return session(ctx, url, nil, func(c *websocket.Conn) error {
			for _, m := range messages {
				if err := exchange(ctx, c, kind, m); err != nil {
					return err
				}
			}
			return c.Close(websocket.StatusNormalClosure, "done")
		})
	}
}

func exchange(ctx context.Context, c *websocket.Conn, kind websocket.MessageType, message []byte) error {
	if err := c.Write(ctx, kind, message); err != nil {
		return err
	}
	return expect(ctx, c, kind, message)
}

func expect(ctx context.Context, c *websocket.Conn, kind websocket.MessageType, message []byte) error {
	gotKind, got, err := c.Read(ctx)
	if err != nil || gotKind != kind || !bytes.Equal(got, message) {
		return fmt.Errorf("sent %v of %d bytes, got %v of %d: %v", kind, len(message), gotKind, len(got), err)
	}
	return nil
}

// fragments sends one message in many frames.
func fragments(ctx context.Context, url string) error {
	return session(ctx, url, nil, func(c *websocket.Conn) error {
		message := pattern(100_000)
		w, err := c.Writer(ctx, websocket.MessageBinary)
		if err != nil {
			return err
		}
		for piece := range slices.Chunk(message, 997) {
			if _, err := w.Write(piece); err != nil {
				return err
			}
		}
		if err := w.Close(); err != nil {
			return err
		}
		return expect(ctx, c, websocket.MessageBinary, message)
	})
}

func closeCodes(ctx context.Context, url string) error {
	for _, code := range []websocket.StatusCode{1000, 1001, 1008, 1011, 3000, 4999} {
		err := session(ctx, url, nil, func(c *websocket.Conn) error {
			if err := c.Write(ctx, websocket.MessageText, fmt.Appendf(nil, "close %d because", code)); err != nil {
				return err
			}
			_, _, err := c.Read(ctx)
			var closed websocket.CloseError
			if !errors.As(err, &closed) || closed.Code != code || closed.Reason != "because" {
				return fmt.Errorf("wanted code %d: %v", code, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
