package rawtest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Upstream gives every request the same bytes for an answer, and keeps the bytes
// that it got.
type Upstream struct {
	// URL is where it listens, without a path.
	URL string
	// Requests holds up to ten requests, each with its body.
	Requests chan string

	answer string
}

// NewUpstream starts an upstream that ends with the test.
func NewUpstream(t testing.TB, answer string) *Upstream {
	t.Helper()
	u := &Upstream{answer: answer, Requests: make(chan string, 10)}
	u.URL = "http://" + Listen(t, u.talk)
	return u
}

// Host returns its HOST:PORT.
func (u *Upstream) Host() string { return strings.TrimPrefix(u.URL, "http://") }

func (u *Upstream) talk(conn net.Conn, in *bufio.Reader) {
	for {
		request, err := ReadMessage(in)
		if err != nil {
			return
		}
		u.Requests <- request
		if _, err := io.WriteString(conn, u.answer); err != nil {
			return
		}
	}
}

var (
	lengthField  = regexp.MustCompile(`(?im)^content-length: *(\d+)`)
	chunkedField = regexp.MustCompile(`(?im)^transfer-encoding: *chunked`)
)

// ReadMessage reads a request or an answer of HTTP/1.1, byte for byte. In a
// chunked body no line but the last chunk's may end with "0".
func ReadMessage(r *bufio.Reader) (string, error) {
	head, err := readTo(r, "\r\n\r\n")
	switch length := lengthField.FindStringSubmatch(head); {
	case err != nil:
		return head, err
	case chunkedField.MatchString(head):
		// Trailers or not, an empty line ends it.
		body, err := readTo(r, "0\r\n")
		if err != nil {
			return head + body, err
		}
		for line := ""; line != "\r\n" && err == nil; body += line {
			line, err = readTo(r, "\r\n")
		}
		return head + body, err
	case length != nil && !strings.Contains(head, " 304 "):
		n, _ := strconv.Atoi(length[1])
		body := make([]byte, n)
		_, err = io.ReadFull(r, body)
		return head + string(body), err
	}
	return head, nil
}

func readTo(r *bufio.Reader, end string) (string, error) {
	var text strings.Builder
	for !strings.HasSuffix(text.String(), end) {
		line, err := r.ReadString('\n')
		text.WriteString(line)
		if err != nil {
			return text.String(), err
		}
	}
	return text.String(), nil
}

// Sorted brings the headers of a message into an order, values of one name in
// the order in which they came, and names, which have no case, into one case.
func Sorted(message string) string {
	head, body, _ := strings.Cut(message, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	name := func(line string) string {
		name, _, _ := strings.Cut(line, ":")
		return http.CanonicalHeaderKey(name)
	}
	for i, line := range lines[1:] {
		_, value, _ := strings.Cut(line, ":")
		lines[i+1] = name(line) + ":" + value
	}
	slices.SortStableFunc(lines[1:], func(a, b string) int { return strings.Compare(name(a), name(b)) })
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}
