package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"authproxy/proxy/platformtest"
)

// platform is a simulated platform with moods.
type platform struct {
	*platformtest.Platform
	address string
	metrics string // address of the proxy's admin listener

	mu      sync.Mutex
	server  *http.Server
	due     map[string]bool // requests whose failure is the platform's doing
	down    []window        // when it was not there
	dead    []window        // when connections by HTTP/2 had died, and nobody could know
	refuses time.Time       // until then it refuses good tokens
	sleeps  time.Duration   // before an answer
	rival   bool            // another program uses the credential: each new token kills the others
	revoked int             // how often tokens died

	relay *relay // before the platform, for HTTP/2
}

// window is a time in which requests may fail; the last may still be open.
type window struct{ from, to time.Time }

func newPlatform() (*platform, error) {
	p := &platform{
		Platform: platformtest.NewOAuth2(platformtest.Options{ClientID: "id", ClientSecret: "secret", Lifetime: 5 * time.Second}),
		due:      map[string]bool{},
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p.metrics = free.Addr().String()
	if err := free.Close(); err != nil {
		return nil, err
	}
	p.address = "127.0.0.1:0"
	if err := p.start(); err != nil {
		return nil, err
	}
	p.relay, err = newRelay(p.address)
	return p, err
}

func (p *platform) config() string {
	return fmt.Sprintf(`listen: 127.0.0.1:0
admin: { listen: %q }
tokens: { t: { token_url: "http://%s%s", client_id: id, client_secret: secret } }
upstreams:
  - { name: soak, token: t, url: "http://%s", invalid_token: &refusal { status: [401], body: [{ code: [INVALID_ACCESS_TOKEN], requestId: ["*"] }] } }
  - { name: h2, token: t, url: "http://%s", protocol: h2c, path: %s, strip_path: true, invalid_token: *refusal }
`, p.metrics, p.address, p.TokenPath(), p.address, p.relay.Addr(), byHTTP2)
}

func (p *platform) start() error {
	l, err := net.Listen("tcp", p.address)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.address = l.Addr().String()
	p.server = &http.Server{Handler: http.HandlerFunc(p.serve), ReadHeaderTimeout: time.Minute, Protocols: new(http.Protocols)}
	p.server.Protocols.SetHTTP1(true)
	p.server.Protocols.SetUnencryptedHTTP2(true)
	go func(s *http.Server) { _ = s.Serve(l) }(p.server)
	return nil
}

func (p *platform) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.server.Close()
}

// hangUp closes the connections that are idle.
func (p *platform) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server.SetKeepAlivesEnabled(false)
	p.server.SetKeepAlivesEnabled(true)
}

// serve answers as the platform does, in its mood of the moment. What it does
// to a request that fails is noted as due; a refusal of a token that has been
// revoked is not.
func (p *platform) serve(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("X-Request-Id")
	p.mu.Lock()
	sleeps, refuses, rival := p.sleeps, time.Now().Before(p.refuses), p.rival
	closes := id != "" && rand.IntN(500) == 0
	if closes || refuses {
		p.due[id] = true
	}
	p.mu.Unlock()
	if sleeps > 0 {
		time.Sleep(rand.N(sleeps))
	}
	if rival && r.URL.Path == p.TokenPath() {
		p.RevokeAll()
	}
	switch {
	case closes:
		panic(http.ErrAbortHandler)
	case refuses && id != "", strings.HasPrefix(r.URL.Path, always):
		w.WriteHeader(http.StatusUnauthorized)
	case id != "" && rand.IntN(2) == 0:
		p.ServeHTTP(&disguise{ResponseWriter: w}, r)
	default:
		if rand.IntN(50) == 0 {
			w.Header().Set("Connection", "close")
		}
		p.ServeHTTP(w, r)
	}
}

const (
	// always is the beginning of paths that refuse good tokens.
	always = "/api/always/"
	// byHTTP2 is the beginning of paths that go to the platform by HTTP/2.
	byHTTP2 = "/h2"
)

// disguise turns a refusal by status into one in a body, under another label and in
// two pieces with a pause between.
type disguise struct {
	http.ResponseWriter
	refused bool
}

// WriteHeader implements [http.ResponseWriter].
func (d *disguise) WriteHeader(status int) {
	if d.refused = status == http.StatusUnauthorized; !d.refused {
		d.ResponseWriter.WriteHeader(status)
		return
	}
	const envelope = `{"code":"INVALID_ACCESS_TOKEN","requestId":"1","message":"expired"}`
	h := d.Header()
	clear(h)
	h.Set("Content-Type", []string{"text/html", "text/json", "x"}[rand.IntN(3)])
	h.Set("Content-Encoding", []string{"none", "UTF-8"}[rand.IntN(2)])
	d.ResponseWriter.WriteHeader(http.StatusOK)
	cut := rand.IntN(len(envelope))
	_, _ = io.WriteString(d.ResponseWriter, envelope[:cut])
	_ = http.NewResponseController(d.ResponseWriter).Flush()
	time.Sleep(rand.N(200 * time.Millisecond))
	_, _ = io.WriteString(d.ResponseWriter, envelope[cut:])
}

// Write implements [http.ResponseWriter].
func (d *disguise) Write(p []byte) (int, error) {
	if d.refused {
		return len(p), nil
	}
	return d.ResponseWriter.Write(p)
}

// excused tells whether the failure of a request that ran in this time is the
// platform's doing.
func (p *platform) excused(id string, from, to time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.due[id] {
		return true
	}
	windows := p.down
	if isByHTTP2(id) {
		windows = append(windows[:len(windows):len(windows)], p.dead...)
	}
	for _, w := range windows {
		if from.Before(w.to) && to.After(w.from) {
			return true
		}
	}
	return false
}

// isByHTTP2 tells whether the request of that id goes to the platform by HTTP/2.
func isByHTTP2(id string) bool { return strings.HasSuffix(id, "3") || strings.HasSuffix(id, "5") }

// misbehave changes the mood every now and then, until stop is called.
func (p *platform) misbehave() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(300*time.Millisecond + rand.N(700*time.Millisecond)):
				p.change()
			}
		}
	}()
	return func() {
		cancel()
		<-done
		p.mu.Lock()
		defer p.mu.Unlock()
		p.sleeps, p.refuses = 0, time.Time{}
	}
}

func (p *platform) change() {
	switch rand.IntN(10) {
	case 0:
		if rand.IntN(4) == 0 {
			p.swallow()
			return
		}
		p.restart()
	case 1:
		p.mu.Lock()
		p.refuses = time.Now().Add(rand.N(300 * time.Millisecond))
		// New tokens do not help then, so that replacements pause: a revocation in the
		// pause costs a few requests.
		p.down = append(p.down, window{time.Now(), p.refuses.Add(5 * time.Second)})
		p.mu.Unlock()
	case 2, 3:
		p.mu.Lock()
		p.sleeps = rand.N(100 * time.Millisecond)
		p.mu.Unlock()
	case 4, 5:
		p.mu.Lock()
		p.sleeps = 0
		p.mu.Unlock()
	default:
		p.revoke()
	}
}

// revoke kills all tokens.
func (p *platform) revoke() {
	p.mu.Lock()
	p.revoked++
	p.mu.Unlock()
	p.RevokeAll()
}

// found is how long it takes until a dead connection is found out, and a request of
// that time has been answered.
const found = 12 * time.Second

// swallow has the connections by HTTP/2 die without being closed.
func (p *platform) swallow() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.dead); n > 0 && time.Now().Before(p.dead[n-1].to) {
		return // else it would be dead all the time
	}
	p.dead = append(p.dead, window{time.Now(), time.Now().Add(found)})
	p.relay.kill()
}

// restart is away for a moment and forgets its tokens. A failed token request
// is followed by a pause of a second or two, so failures are due until the
// proxy may have asked again.
func (p *platform) restart() {
	p.mu.Lock()
	last := len(p.down)
	p.down = append(p.down, window{time.Now(), time.Now().Add(time.Hour)})
	p.mu.Unlock()
	p.close()
	p.RevokeAll()
	time.Sleep(rand.N(300 * time.Millisecond))
	if err := p.start(); err != nil {
		panic(err) // the port was ours a moment ago
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down[last].to = time.Now().Add(1500 * time.Millisecond)
}
