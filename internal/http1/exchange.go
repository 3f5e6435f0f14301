package http1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync/atomic"
	"time"
)

// exchange is one request on its way over a connection, and then the body of its
// answer.
type exchange struct {
	*conn
	req     *http.Request
	release func() bool  // ends watching the context; false when that has ended
	sent    chan error   // has how a goroutine has sent the request; nil when there is none
	headed  atomic.Bool  // the header of the answer has come
	over    atomic.Int32 // how the answer ended

	body   io.ReadCloser // as net/http reads it
	length int64         // of the body; -1 when it is not known
	read   int64         // of it
	keep   bool          // the connection may be used again
}

// How an answer ends.
const (
	open int32 = iota
	ended
	dropped
)

// roundTrip sends req over c and returns its answer, whose body gives c back.
func (c *conn) roundTrip(req *http.Request) (*http.Response, error) {
	x := &exchange{conn: c, req: req, release: context.AfterFunc(req.Context(), func() { _ = c.Close() })}
	var before uint64
	if c.used && !repeatable(req) {
		before, _, _ = taken(c.under())
	}
	c.out.err, c.out.any = nil, false
	sendErr := x.send()
	resp, err := x.answer()
	if err != nil {
		fin := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		err = x.failed(sendErr, err)
		if none, ok := errors.AsType[errNoAnswer](err); ok && c.used {
			err = errNoAnswer{none.error, none.untaken || fin && x.untaken(before)}
		}
		x.release()
		_ = c.Close()
		return nil, err
	}
	x.keep = sendErr == nil && !resp.Close && !req.Close
	x.body, x.length = resp.Body, resp.ContentLength
	if resp.Body == http.NoBody {
		x.end(x.keep, ended)
		return resp, nil
	}
	resp.Body = x
	return resp, nil
}

// failed returns why there is no answer: reading it failed with err, and sending with
// sendErr, if at all.
func (x *exchange) failed(sendErr, err error) error {
	if x.sent != nil {
		select {
		case sendErr = <-x.sent:
		default: // it goes on with a body that may never end
		}
	}
	var none errNoAnswer
	switch {
	case sendErr == nil:
		return err
	case x.out.err == nil: // the body of the request could not be read
		return sendErr
	case errors.As(err, &none):
		return errNoAnswer{x.out.err, !x.out.any} // net/http may hide it in sendErr, as one of the body
	default:
		return err
	}
}

// refusalTakes is how long the word that nobody takes the request may be on its way.
const refusalTakes = time.Second

// untaken tells, of a connection that the other side has ended (FIN), whether that was
// before a byte of the request came there: then nobody has read one. A FIN says what was
// taken until then, which a mere RST need not. Before is what it had taken when the
// request began. Until what came too late has been refused, the other side may have
// ended only its own sending, and read on. (One that does so, and then resets the
// connection, cannot be told apart.)
func (x *exchange) untaken(before uint64) bool {
	for wait, end := time.Millisecond, time.Now().Add(refusalTakes); ; wait *= 2 {
		now, refused, ok := taken(x.under())
		if !ok || now != before || refused || time.Now().After(end) {
			return ok && before > 0 && now == before && refused
		}
		select {
		case <-x.req.Context().Done():
			return false
		case <-time.After(wait):
		}
	}
}

// send sends the request, or begins to: one with a body is sent by a goroutine of its
// own, since the body may come slowly, and the answer before its end.
func (x *exchange) send() error {
	if x.req.Body == nil || x.req.Body == http.NoBody {
		return x.write()
	}
	x.sent = make(chan error, 1)
	go func() {
		err := x.write()
		x.sent <- err
		x.giveUp(err)
	}()
	return nil
}

// giveUp closes the connection of a request whose body could not be read: half of it
// cannot be taken back.
func (x *exchange) giveUp(err error) {
	if err != nil && x.out.err == nil {
		_ = x.conn.Close()
	}
}

// lastWord is how long an answer may take after the other side has stopped reading
// the request.
const lastWord = 5 * time.Second

// write sends the request. Where that fails for the connection, the other side may
// have answered before it closed it.
func (x *exchange) write() error {
	err := x.req.Write(x.w)
	if err == nil {
		err = x.w.Flush()
	}
	switch {
	case err == nil:
		x.await(x.transport.opts.Header)
	case x.out.err != nil:
		x.await(lastWord)
	}
	return err
}

// await begins the time in which the header has to come; 0 for no limit.
func (x *exchange) await(limit time.Duration) {
	if limit <= 0 || x.headed.Load() {
		return
	}
	_ = x.SetReadDeadline(time.Now().Add(limit))
	if x.headed.Load() {
		_ = x.SetReadDeadline(time.Time{})
	}
}

// answer reads the header of the answer, and tells of the 1xx before it.
func (x *exchange) answer() (*http.Response, error) {
	x.left = x.transport.opts.MaxHeader
	if _, err := x.r.Peek(1); err != nil {
		return nil, errNoAnswer{error: err}
	}
	for {
		resp, err := http.ReadResponse(x.r, x.req)
		switch {
		case err != nil:
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		case resp.StatusCode == http.StatusSwitchingProtocols:
			return nil, errors.New("http1: the other side switches protocols unasked")
		case resp.StatusCode < 200:
			if err := x.tell(resp); err != nil {
				return nil, err
			}
		default:
			x.headed.Store(true)
			x.left = noLimit
			_ = x.SetReadDeadline(time.Time{})
			resp.TLS = x.tls
			return resp, nil
		}
	}
}

// tell hands a 1xx on.
func (x *exchange) tell(resp *http.Response) error {
	if resp.StatusCode < 100 {
		return fmt.Errorf("http1: status %d", resp.StatusCode)
	}
	if trace := httptrace.ContextClientTrace(x.req.Context()); trace != nil && trace.Got1xxResponse != nil {
		return trace.Got1xxResponse(resp.StatusCode, textproto.MIMEHeader(resp.Header))
	}
	return nil
}

// Read implements [io.Reader] for the body of the answer.
func (x *exchange) Read(p []byte) (int, error) {
	switch x.over.Load() {
	case ended:
		return 0, io.EOF
	case dropped:
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := x.body.Read(p)
	x.read += int64(n)
	switch {
	case err == nil:
	case err == io.EOF:
		x.end(x.keep, ended)
	default:
		if cause := context.Cause(x.req.Context()); cause != nil {
			err = cause
		}
		x.end(false, dropped)
	}
	return n, err
}

// AtHand tells whether the rest of the body has come: reading it does not wait.
func (x *exchange) AtHand() bool {
	return x.over.Load() == open && x.length >= 0 && x.length-x.read <= int64(x.r.Buffered())
}

// Close implements [io.Closer]. What has not been read is not waited for.
func (x *exchange) Close() error {
	x.end(false, dropped)
	return nil
}

// end gives the connection back, or closes it.
func (x *exchange) end(keep bool, how int32) {
	if !x.over.CompareAndSwap(open, how) {
		return
	}
	if x.sent != nil {
		keep = keep && x.sentWhole()
	}
	if !x.release() || !keep {
		_ = x.conn.Close()
		return
	}
	x.transport.put(x.conn)
}

// sentWhole tells whether the request has been sent, which the goroutine that does it
// may be about to say.
func (x *exchange) sentWhole() bool {
	select {
	case err := <-x.sent:
		return err == nil
	default:
	}
	wait := time.NewTimer(50 * time.Millisecond)
	defer wait.Stop()
	select {
	case err := <-x.sent:
		return err == nil
	case <-wait.C:
		return false // the rest is not wanted
	}
}
