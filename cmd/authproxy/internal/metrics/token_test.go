package metrics

import (
	"errors"
	"sync"
	"testing"
	"time"

	"authproxy/tokencache"
)

func TestFetchesCount(t *testing.T) {
	tests := []struct {
		name  string
		fetch tokencache.Fetch
		want  []string
	}{
		{"ok", tokencache.Fetch{Result: tokencache.ResultOK},
			[]string{`token_fetches_total{result="ok",token="shop"}`}},
		{"a refused token was replaced", tokencache.Fetch{Result: tokencache.ResultOK, Replaced: true},
			[]string{`token_fetches_total{result="ok",token="shop"}`, `token_invalidations_total{token="shop"}`}},
		{"another one from the store", tokencache.Fetch{Result: tokencache.ResultAdopted, Replaced: true},
			[]string{`token_fetches_total{result="adopted",token="shop"}`, `token_invalidations_total{token="shop"}`}},
		{"failed", tokencache.Fetch{Result: tokencache.ResultError, Reason: tokencache.ReasonCredentials, Err: errors.New("no")},
			[]string{`token_fetches_total{result="error",token="shop"}`,
				`token_fetch_errors_total{reason="credentials",token="shop"}`}},
		{"failed, unclassified", tokencache.Fetch{Result: tokencache.ResultError, Err: tokencache.ErrSameToken},
			[]string{`token_fetches_total{result="error",token="shop"}`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := New(BuildInfo{})
			fetched := tokenOf(m, "shop", noToken)
			got := changed(t, m, func() {
				test.fetch.Duration = 90 * time.Second
				fetched(test.fetch)
			})
			want := map[string]float64{
				`authproxy_token_fetch_duration_seconds_count{token="shop"}`:            1,
				`authproxy_token_fetch_duration_seconds_sum{token="shop"}`:              90,
				`authproxy_token_fetch_duration_seconds_bucket{token="shop",le="+Inf"}`: 1,
			}
			for _, name := range test.want {
				want["authproxy_"+name] = 1
			}
			equal(t, got, want)
		})
	}
}

func TestTokenGaugesAreReadAtTheScrape(t *testing.T) {
	m := New(BuildInfo{})
	var state tokencache.State
	tokenOf(m, "shop", func() tokencache.State { return state })
	equal(t, changed(t, m, func() {
		state.Issued = time.UnixMilli(1_700_000_000_500)
		state.Expiry = time.Unix(1_700_003_600, 0)
		state.Waiters = 3
	}), map[string]float64{
		`authproxy_token_issued_timestamp_seconds{token="shop"}`: 1_700_000_000.5,
		`authproxy_token_expiry_timestamp_seconds{token="shop"}`: 1_700_003_600,
		`authproxy_token_waiters{token="shop"}`:                  3,
	})
}

func TestTokenAskedAgainReadsTheNewState(t *testing.T) {
	m := New(BuildInfo{})
	tokenOf(m, "shop", func() tokencache.State { return tokencache.State{Waiters: 1} })(tokencache.Fetch{Result: tokencache.ResultOK})
	tokenOf(m, "shop", func() tokencache.State { return tokencache.State{Waiters: 2} })(tokencache.Fetch{Result: tokencache.ResultOK})
	series := scrape(t, m)
	if got := series[`authproxy_token_waiters{token="shop"}`]; got != 2 {
		t.Errorf("%v waiters, want the new state's 2", got)
	}
	if got := series[`authproxy_token_fetches_total{result="ok",token="shop"}`]; got != 2 {
		t.Errorf("%v fetches, want 2", got)
	}
}

func TestTokensAreAddedDuringScrapes(t *testing.T) {
	m := New(BuildInfo{})
	var all sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		all.Go(func() { tokenOf(m, name, noToken)(tokencache.Fetch{Result: tokencache.ResultOK}) })
		all.Go(func() { gather(t, m) })
	}
	all.Wait()
	if _, found := scrape(t, m)[`authproxy_token_waiters{token="d"}`]; !found {
		t.Error("token d is missing")
	}
}

// tokenOf creates the series of a token and returns what records its fetches.
func tokenOf(m *Metrics, name string, state func() tokencache.State) func(tokencache.Fetch) {
	observer := m.Token(name)
	m.TokenState(name, state)
	return observer.Observe(tokencache.Start{})
}
