package metrics

import (
	"maps"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"authproxy/tokencache"
)

type tokenVecs struct {
	fetches, errors, invalidations *prometheus.CounterVec
	duration                       *prometheus.HistogramVec
}

func newTokenVecs() tokenVecs {
	return tokenVecs{
		fetches: counterVec("token_fetches_total",
			"Attempts to get a token, by result; adopted ones came from the store.", "token", "result"),
		errors: counterVec("token_fetch_errors_total",
			"Attempts to get a token that failed, by reason.", "token", "reason"),
		invalidations: counterVec("token_invalidations_total",
			"Refused tokens that were replaced by another one.", "token"),
		duration: secondsVec("token_fetch_duration_seconds",
			"Time that an attempt to get a token took, whatever its result.", "token"),
	}
}

func (v tokenVecs) collectors() []prometheus.Collector {
	return []prometheus.Collector{v.fetches, v.errors, v.invalidations, v.duration}
}

// Token creates the series of the token of that name and returns the observer of
// its fetches. Asked again for the same name, it goes on with the same series.
func (m *Metrics) Token(name string) tokencache.Observer {
	invalidations := m.tokens.invalidations.WithLabelValues(name)
	duration := m.tokens.duration.WithLabelValues(name)
	for _, result := range tokencache.Results() {
		m.tokens.fetches.WithLabelValues(name, string(result))
	}
	for _, reason := range tokencache.Reasons() {
		m.tokens.errors.WithLabelValues(name, string(reason))
	}
	fetched := func(f tokencache.Fetch) {
		m.tokens.fetches.WithLabelValues(name, string(f.Result)).Inc()
		duration.Observe(f.Duration.Seconds())
		if f.Reason != "" {
			m.tokens.errors.WithLabelValues(name, string(f.Reason)).Inc()
		}
		if f.Replaced {
			invalidations.Inc()
		}
	}
	return tokencache.ObserverFunc(func(tokencache.Start) func(tokencache.Fetch) { return fetched })
}

// TokenState has the gauges of the token of that name read from state at each
// scrape; it must be safe for concurrent use and must not wait. Called again for
// the same name, the new state counts.
func (m *Metrics) TokenState(name string, state func() tokencache.State) { m.states.set(name, state) }

// tokenStates is the collector of the gauges that are read at a scrape.
type tokenStates struct {
	expiry, issued, waiters *prometheus.Desc

	mu     sync.Mutex
	byName map[string]func() tokencache.State
}

func newTokenStates() *tokenStates {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(namespace+"_"+name, help, []string{"token"}, nil)
	}
	return &tokenStates{
		expiry:  desc("token_expiry_timestamp_seconds", "Unix time at which the token expires; 0 without one."),
		issued:  desc("token_issued_timestamp_seconds", "Unix time at which the token was issued; 0 without one."),
		waiters: desc("token_waiters", "Requests that are waiting for a token."),
		byName:  map[string]func() tokencache.State{},
	}
}

func (s *tokenStates) set(name string, state func() tokencache.State) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byName[name] = state
}

func (s *tokenStates) remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byName, name)
}

func (s *tokenStates) Describe(descs chan<- *prometheus.Desc) {
	descs <- s.expiry
	descs <- s.issued
	descs <- s.waiters
}

func (s *tokenStates) Collect(found chan<- prometheus.Metric) {
	s.mu.Lock()
	states := maps.Clone(s.byName)
	s.mu.Unlock()
	for name, read := range states {
		state := read()
		send := func(desc *prometheus.Desc, value float64) {
			found <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, name)
		}
		send(s.expiry, unixSeconds(state.Expiry))
		send(s.issued, unixSeconds(state.Issued))
		send(s.waiters, float64(state.Waiters))
	}
}

func unixSeconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}
