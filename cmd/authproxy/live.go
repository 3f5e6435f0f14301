package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/server"
)

// tokenFound is what came of fetching a token.
type tokenFound struct {
	Name        string   `json:"name"`
	OK          bool     `json:"ok"`
	Error       string   `json:"error,omitempty"`
	Millis      int64    `json:"duration_ms"`
	Type        string   `json:"type,omitempty"`
	Lifetime    float64  `json:"lifetime_s,omitempty"`
	Expires     string   `json:"expires,omitempty"`
	Fingerprint string   `json:"fingerprint,omitempty"`
	Notes       []string `json:"notes,omitempty"`
	// with --verbose: each request to the token endpoint and its answer
	Exchanges []exchange `json:"exchanges,omitempty"`
	described string
}

// storeFound is what came of using the store.
type storeFound struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
}

func (s *storeFound) print(out io.Writer) {
	switch {
	case s == nil:
	case s.OK:
		fmt.Fprintln(out, "store: works")
	default:
		fmt.Fprintf(out, "store: FAILED: %s\n", s.Error)
	}
}

// placeFound is what came of connecting to an upstream, or of a request to it.
type placeFound struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Error  string `json:"error,omitempty"`
	Probe  string `json:"probe,omitempty"` // the path that was asked for
	Status int    `json:"status,omitempty"`
	// of a request: whether the answer counts as a refused token, and why or why not
	Refused *bool  `json:"refused,omitempty"`
	Why     string `json:"why,omitempty"`
	Millis  int64  `json:"duration_ms"`
}

// try fetches each token and connects to each upstream, once, or sends a request for the
// path probe; verbose notes what token endpoints are asked and answer. One that fails does not keep the others from being tried.
func (r *report) try(ctx context.Context, probe string, verbose bool) error {
	if !r.cfg.Store.IsZero() {
		found := storeFound{OK: true}
		if err := server.CheckStore(ctx, r.cfg); err != nil {
			found.OK, found.Error = false, err.Error()
		}
		r.Store = &found
	}
	failed := 0
	for _, t := range r.cfg.Tokens {
		found := tryToken(ctx, r.cfg, t, verbose)
		r.Tokens = append(r.Tokens, found)
		if !found.OK {
			failed++
		}
	}
	lost := 0
	for i := range r.cfg.Upstreams {
		found := tryUpstream(ctx, r.cfg, i, probe)
		r.Upstreams = append(r.Upstreams, found)
		if !found.OK {
			lost++
		}
	}
	switch {
	case r.Store != nil && !r.Store.OK && failed+lost == 0:
		return errors.New("the store cannot be used")
	case failed > 0 && lost > 0:
		return fmt.Errorf("%d of %d token(s) cannot be fetched, and %d of %d upstream(s) cannot be used", failed, len(r.cfg.Tokens), lost, len(r.cfg.Upstreams))
	case failed > 0:
		return fmt.Errorf("%d of %d token(s) cannot be fetched", failed, len(r.cfg.Tokens))
	case lost > 0:
		return fmt.Errorf("%d of %d upstream(s) cannot be used", lost, len(r.cfg.Upstreams))
	}
	return nil
}

// exchange is a [server.Exchange] as JSON.
type exchange struct {
	Request string `json:"request"`
	Answer  string `json:"answer"`
}

// onlooker keeps what it sees of a token endpoint.
type onlooker struct {
	mu    sync.Mutex // a request that is given up may end later
	all   []exchange
	ahead time.Duration
}

func (o *onlooker) see(x server.Exchange) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all, o.ahead = append(o.all, exchange{x.Request, x.Answer}), x.Ahead
}

func (o *onlooker) seen() (all []exchange, ahead time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.all, o.ahead
}

func tryToken(ctx context.Context, cfg *config.Config, t config.Token, verbose bool) tokenFound {
	began := time.Now()
	var look onlooker
	got, _, err := server.FetchOnce(ctx, cfg, t, thisVersion().Version, look.see)
	seen, ahead := look.seen()
	if !verbose {
		seen = nil
	}
	found := tokenFound{Exchanges: seen, Name: t.Name, OK: err == nil, Millis: time.Since(began).Milliseconds()}
	if off := clockOff(ahead); off != "" {
		found.Notes = append(found.Notes, off)
	}
	if err != nil {
		found.Error = err.Error()
		return found
	}
	found.Type, found.Lifetime = got.Type, got.Expiry.Sub(got.Issued).Seconds()
	found.Expires, found.Fingerprint, found.described = got.Expiry.UTC().Format(time.RFC3339), got.Fingerprint(), describe(got)
	if got.Unread != "" {
		found.Notes = append(found.Notes, "warning: "+got.Unread+"; default_ttl counts")
	}
	if got.Adopted {
		found.Notes = append(found.Notes, "note: from the store; the platform was not asked")
	} else if t.OldToken == config.OldTokenDies {
		found.Notes = append(found.Notes, "note: on this platform the request has killed the token that was used before; a running authproxy recovers by itself")
	}
	return found
}

func tryUpstream(ctx context.Context, cfg *config.Config, i int, probe string) placeFound {
	began, found := time.Now(), placeFound{Name: cfg.Upstreams[i].Name}
	var err error
	if probe == "" {
		err = server.Probe(ctx, cfg.Upstreams[i])
	} else {
		found.Probe = probe
		var got server.Answered
		got, err = server.Ask(ctx, cfg, i, probe, thisVersion().Version)
		if found.Status, found.Why = got.Status, got.Why; got.Why != "" {
			found.Refused = &got.Refused
		}
	}
	found.OK, found.Millis = err == nil, time.Since(began).Milliseconds()
	if err != nil {
		found.Error = err.Error()
	}
	return found
}

func (t tokenFound) print(out io.Writer) {
	for _, x := range t.Exchanges {
		fmt.Fprintf(out, "%[1]s: asked\n%[2]s\n%[1]s: answered\n%[3]s\n", t.Name, indented(x.Request), indented(x.Answer))
	}
	took := time.Duration(t.Millis) * time.Millisecond
	if t.OK {
		fmt.Fprintf(out, "%s: ok in %s: %s\n", t.Name, took, t.described)
	} else {
		fmt.Fprintf(out, "%s: FAILED after %s: %s\n", t.Name, took, t.Error)
	}
	for _, note := range t.Notes {
		fmt.Fprintf(out, "%s: %s\n", t.Name, note)
	}
}

// tolerable is by how much clocks may differ: assertions and signatures are refused beyond some minutes.
const tolerable = time.Minute

// clockOff is the warning that this machine's clock is not the platform's; empty where they agree.
func clockOff(ahead time.Duration) string {
	const why = "signatures, assertions and lifetimes are counted by it: set this one, if it is wrong"
	switch {
	case ahead > tolerable:
		return fmt.Sprintf("warning: this machine's clock is %s ahead of the platform's: %s", ahead, why)
	case ahead < -tolerable:
		return fmt.Sprintf("warning: this machine's clock is %s behind the platform's: %s", -ahead, why)
	}
	return ""
}

// indented is text with each of its lines further in.
func indented(text string) string { return "    " + strings.ReplaceAll(text, "\n", "\n    ") }

func (u placeFound) print(out io.Writer) {
	took := time.Duration(u.Millis) * time.Millisecond
	switch {
	case u.OK && u.Probe != "":
		fmt.Fprintf(out, "upstream %s: GET %s was answered with %d in %s, which does not count as a refused token: %s\n", u.Name, u.Probe, u.Status, took, u.Why)
	case u.OK:
		fmt.Fprintf(out, "upstream %s: reached in %s\n", u.Name, took)
	default:
		fmt.Fprintf(out, "upstream %s: FAILED after %s: %s\n", u.Name, took, u.Error)
	}
}
