package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/proxy"
	"authproxy/proxy/door"
)

// onlyCallers returns a handler that passes to next, behind the data listener
// at address, only the requests of those who may call.
func (a *app) onlyCallers(address string, next http.Handler, observers ...proxy.Observer) (http.Handler, error) {
	known, err := a.knownPeer(address)
	if err != nil {
		return nil, err
	}
	c := door.Callers{Known: known}
	if !a.cfg.CallerToken.IsZero() {
		file := &callerToken{read: a.cfg.CallerToken.Read, log: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn)}
		if err := file.look(0); err != nil {
			return nil, fmt.Errorf("caller_token_file: %w", err)
		}
		c = file.callers(known)
	}
	return door.NewCallers(c, next, observers...)
}

const (
	// matchAge bounds how long a token of callers counts that has been replaced.
	matchAge = time.Second
	// mismatchAge bounds how often guesses make it be read.
	mismatchAge = 10 * time.Millisecond
)

// callerToken follows the token of callers while requests come.
type callerToken struct {
	read   func() (string, error)
	log    *log.Logger // told when read fails, once for equal errors
	secret door.Secret

	mu     sync.Mutex // held by the one look at a time
	looked time.Time
	failed string
}

// callers returns who may call: those who are known and bring the token.
func (t *callerToken) callers(known func(*http.Request) error) door.Callers {
	return door.Callers{
		Secret:  &t.secret,
		Recheck: func() { _ = t.look(mismatchAge) }, // waits for one that is under way
		Known: func(r *http.Request) error {
			if t.mu.TryLock() { // else another request is looking: what it had counts
				_ = t.lookLocked(matchAge)
				t.mu.Unlock()
			}
			if known == nil {
				return nil
			}
			return known(r)
		},
	}
}

// look reads the token unless that was done not longer ago than age.
func (t *callerToken) look(age time.Duration) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lookLocked(age)
}

var errNoCallerToken = errors.New("the token of callers is empty")

func (t *callerToken) lookLocked(age time.Duration) error {
	if time.Since(t.looked) < age {
		return nil
	}
	first := t.looked.IsZero()
	value, err := t.read()
	t.looked = time.Now()
	if err == nil && value == "" {
		err = errNoCallerToken
	}
	if err == nil {
		t.secret.Set(value)
		t.failed = ""
		return nil
	}
	if !first && t.failed != err.Error() {
		t.log.Printf("the secret of callers cannot be read, so the previous one goes on counting: %v", err)
	}
	t.failed = err.Error()
	return err
}

// onlyPeers does the same for the admin listener, which asks for no token.
func (a *app) onlyPeers(next http.Handler) (http.Handler, error) {
	known, err := a.knownPeer(a.cfg.Admin.Listen)
	if err != nil {
		return nil, err
	}
	return door.NewCallers(door.Callers{Known: known}, next, a.metrics.Unrouted())
}

// knownPeer returns the check of who connects to the listener at address; nil
// when everybody may.
func (a *app) knownPeer(address string) (func(*http.Request) error, error) {
	if len(a.cfg.AllowedUIDs) == 0 || !isUnix(address) {
		return nil, nil
	}
	if err := checkPeers(); err != nil {
		return nil, fmt.Errorf("allowed_uids: %w", err)
	}
	return allowUIDs(a.cfg.AllowedUIDs), nil
}

// accessRules are the rules of an upstream as the proxy wants them.
func accessRules(list []config.Access) []proxy.Access {
	rules := make([]proxy.Access, len(list))
	for i, a := range list {
		rules[i] = proxy.Access(a)
	}
	return rules
}

// peerKey is where the context of a connection holds its peer.
type peerKey struct{}

// peer is the user whose process is at the other end of a connection.
type peer struct {
	uid uint32
	err error // why it is not known
}

// withPeer is the ConnContext of servers on unix sockets.
func withPeer(ctx context.Context, c net.Conn) context.Context {
	uid, err := peerUID(c)
	return context.WithValue(ctx, peerKey{}, peer{uid, err})
}

var errNoPeer = errors.New("the user who calls is not known")

// allowUIDs returns a check that lets only requests of these users pass.
func allowUIDs(uids []int) func(*http.Request) error {
	return func(r *http.Request) error {
		p, ok := r.Context().Value(peerKey{}).(peer)
		switch {
		case !ok || p.err != nil:
			return errNoPeer
		case !slices.Contains(uids, int(p.uid)):
			return fmt.Errorf("uid %d is not in allowed_uids: add it if it may use the token", p.uid)
		}
		return nil
	}
}
