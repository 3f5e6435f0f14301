package server

import (
	"time"

	"authproxy/cmd/authproxy/internal/admin"
	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/history"
)

// status is what the status page shows while g is served.
func (s *Server) status(g *generation) admin.Status {
	all := admin.Status{
		Time: time.Now(), Program: admin.Program{Version: s.opts.Version, Revision: s.opts.Revision, Started: s.started},
		Step: int(history.Step / time.Second), Ready: true,
		Config:    admin.Config{File: s.opts.File, Loaded: g.made, Warnings: append([]string{}, g.cfg.Warnings...)},
		Tokens:    []admin.Token{},
		Upstreams: []admin.Upstream{},
		Rejected:  failures(s.history.TurnedAway()),
	}
	if err := s.readiness(); err != nil {
		all.Ready, all.NotReady = false, err.Error()
	}
	if err := s.notTaken.Load(); err != nil {
		all.Config.Error = (*err).Error()
	}
	for _, t := range g.cfg.Tokens {
		all.Tokens = append(all.Tokens, g.tokenLife(t))
	}
	for i, u := range g.cfg.Upstreams {
		up := upstreamLife(s.history.Upstream(u.Name).Recent())
		up.Name, up.Token, up.Address, up.URL = u.Name, u.Token, g.places[i].place, g.places[i].to
		all.Upstreams = append(all.Upstreams, up)
	}
	return all
}

// tokenLife is what may be told of t.
func (g *generation) tokenLife(t config.Token) admin.Token {
	held, seen := g.tokens[t.Name].cache.State(), g.history.Token(t.Name).Fetches()
	life := admin.Token{
		Name: t.Name, Provider: string(t.Provider), Waiting: held.Waiters, Fetched: seen.OK, Failed: seen.Errors, Replaced: seen.Replaced,
		NextTry: timeOf(held.NextTry), Rival: timeOf(seen.Rival), Upstreams: []string{},
	}
	if !held.Expiry.IsZero() {
		life.Valid, life.Fingerprint = time.Now().Before(held.Expiry), held.Fingerprint
		life.Issued, life.Renewal, life.Expiry = timeOf(held.Issued), timeOf(held.Renewal), timeOf(held.Expiry)
	}
	if g.tokens[t.Name].shared != nil {
		life.Store = g.store.kind()
	}
	if !seen.Last.IsZero() {
		life.Fetch = &admin.Fetch{Time: seen.Last, Cause: string(seen.Cause), Result: string(seen.Result), Duration: *milliseconds(seen.Duration)}
	}
	if !seen.Failed.IsZero() {
		life.LastError = &admin.TextAt{Time: seen.Failed, Text: seen.Error}
	}
	if held.Err != nil {
		life.Error = held.Err.Error()
	}
	for _, u := range g.cfg.Upstreams {
		if u.Token == t.Name {
			life.Upstreams = append(life.Upstreams, u.Name)
		}
	}
	return life
}

// upstreamLife is what there was of an upstream.
func upstreamLife(r history.Recent) admin.Upstream {
	up := admin.Upstream{
		InFlight: r.InFlight, Requests: r.Requests, Failed: r.Failed, Retries: map[string][]uint32{},
		Total:    admin.Durations{Median: milliseconds(r.Total.Median), P95: milliseconds(r.Total.P95), P99: milliseconds(r.Total.P99)},
		Failures: failures(r.Failures),
	}
	for outcome, counts := range r.Outcomes {
		up.Retries[string(outcome)] = counts
	}
	for i := range r.Median {
		up.Median, up.P95 = append(up.Median, milliseconds(r.Median[i])), append(up.P95, milliseconds(r.P95[i]))
	}
	return up
}

func failures(list []history.Failure) []admin.Failure {
	all := make([]admin.Failure, len(list))
	for i, f := range list {
		all[i] = admin.Failure{
			Time: f.Last, Count: f.Count, Method: f.Method, Path: f.Path, Status: f.Status,
			Code: string(f.Rejected), Reason: string(f.Reason), Outcome: string(f.Outcome), Text: f.Text,
		}
	}
	return all
}

// timeOf is t, or nil for none.
func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// milliseconds is d, or nil when it is below zero.
func milliseconds(d time.Duration) *float64 {
	if d < 0 {
		return nil
	}
	ms := float64(d.Microseconds()) / 1000
	return &ms
}
