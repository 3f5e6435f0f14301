package metrics

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"authproxy/proxy"
)

// changed returns the counters and gauges of ours that do made other, by how much.
func changed(t *testing.T, m *Metrics, do func()) map[string]float64 {
	t.Helper()
	before := scrape(t, m)
	do()
	diff := map[string]float64{}
	for name, value := range scrape(t, m) {
		if value != before[name] {
			diff[name] = value - before[name]
		}
	}
	return diff
}

func equal(t *testing.T, got, want map[string]float64) {
	t.Helper()
	if !maps.Equal(got, want) {
		t.Errorf("changed:\n  %v\nwant:\n  %v", got, want)
	}
}

func TestFinishedCounts(t *testing.T) {
	tests := []struct {
		name   string
		record proxy.Record
		want   []string
	}{
		{"ordinary", proxy.Record{Method: "GET", Status: 200},
			[]string{`requests_total{code="200",method="GET",upstream="orders"}`}},
		{"another status", proxy.Record{Method: "PATCH", Status: 404},
			[]string{`requests_total{code="404",method="PATCH",upstream="orders"}`}},
		{"unknown method", proxy.Record{Method: "BREW", Status: 200},
			[]string{`requests_total{code="200",method="other",upstream="orders"}`}},
		{"methods are case-sensitive", proxy.Record{Method: "get", Status: 200},
			[]string{`requests_total{code="200",method="other",upstream="orders"}`}},
		{"status beyond HTTP", proxy.Record{Method: "GET", Status: 999},
			[]string{`requests_total{code="other",method="GET",upstream="orders"}`}},
		{"no status", proxy.Record{Method: "GET"},
			[]string{`requests_total{code="other",method="GET",upstream="orders"}`}},
		{"negative status", proxy.Record{Method: "GET", Status: -1},
			[]string{`requests_total{code="other",method="GET",upstream="orders"}`}},
		{"bounds", proxy.Record{Method: "GET", Status: 599},
			[]string{`requests_total{code="599",method="GET",upstream="orders"}`}},
		{"recovered", proxy.Record{Method: "POST", Status: 200, Trigger: proxy.TriggerBody, Outcome: proxy.OutcomeRecovered},
			[]string{`requests_total{code="200",method="POST",upstream="orders"}`,
				`retries_total{outcome="recovered",trigger="body",upstream="orders"}`}},
		{"rejected after a failure upstream", proxy.Record{Method: "GET", Status: 502,
			UpstreamError: proxy.ReasonDial, Rejected: proxy.CodeUpstreamUnreachable},
			[]string{`requests_total{code="502",method="GET",upstream="orders"}`,
				`upstream_errors_total{reason="dial",upstream="orders"}`,
				`rejected_requests_total{reason="upstream_unreachable"}`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := New(BuildInfo{})
			observer := m.Upstream("orders")
			got := changed(t, m, func() {
				done := observer.Observe(nil)
				test.record.Duration = 2 * time.Minute
				done(&test.record)
			})
			want := map[string]float64{
				`authproxy_request_duration_seconds_count{upstream="orders"}`:            1,
				`authproxy_request_duration_seconds_sum{upstream="orders"}`:              120,
				`authproxy_request_duration_seconds_bucket{upstream="orders",le="+Inf"}`: 1,
			}
			for _, name := range test.want {
				want["authproxy_"+name] = 1
			}
			equal(t, got, want)
		})
	}
}

// TestExemplars: the trace of a request that somebody records stands at its duration; of others none does.
func TestExemplars(t *testing.T) {
	const recorded, not = "0af7651916cd43dd8448eb211c80319c", "1af7651916cd43dd8448eb211c80319c"
	m := New(BuildInfo{})
	observer := m.Upstream("orders")
	for _, parent := range []string{"00-" + recorded + "-b7ad6b7169203331-01", "00-" + not + "-b7ad6b7169203331-00", "junk", ""} {
		observer.Observe(nil)(&proxy.Record{Method: "GET", Status: 200, Request: &http.Request{Header: http.Header{"Traceparent": {parent}}}})
	}
	// A hundred in one second show two: one for each length.
	for i := range 100 {
		observer.Observe(nil)(&proxy.Record{Method: "GET", Status: 200, Start: time.Unix(99, 0), Duration: time.Duration(i%2) * 20 * time.Second,
			Request: &http.Request{Header: http.Header{"Traceparent": {fmt.Sprintf("00-%032x-b7ad6b7169203331-01", i+1)}}}})
	}
	server := httptest.NewServer(m.Handler())
	defer server.Close()
	text := get(t, server.URL, "application/openmetrics-text")
	if strings.Count(text, "# {trace_id=") != 2 || strings.Contains(text, recorded) || !strings.Contains(text, fmt.Sprintf("%032x", 1)) || !strings.Contains(text, fmt.Sprintf("%032x", 2)) || strings.Contains(text, not) || strings.Contains(text, "junk") {
		t.Errorf("%s", text)
	}
}

func TestInFlight(t *testing.T) {
	m := New(BuildInfo{})
	observer := m.Upstream("orders")
	equal(t, changed(t, m, func() { observer.Observe(nil) }),
		map[string]float64{`authproxy_requests_in_flight{upstream="orders"}`: 1})
}

func TestUnroutedCountsOnlyRejections(t *testing.T) {
	m := New(BuildInfo{})
	m.Upstream("orders")
	observer := m.Unrouted()
	equal(t, changed(t, m, func() {
		observer.Observe(nil)(&proxy.Record{Method: "GET", Status: 404, Rejected: proxy.CodeNoRoute})
		observer.Observe(nil)(&proxy.Record{Method: "GET", Status: 200})
	}), map[string]float64{`authproxy_rejected_requests_total{reason="no_route"}`: 1})
}

func TestUpstreamAskedAgainGoesOnWithItsSeries(t *testing.T) {
	m := New(BuildInfo{})
	record := &proxy.Record{Method: "GET", Status: 200}
	for range 2 {
		observer := m.Upstream("orders")
		observer.Observe(nil)(record)
	}
	if got := scrape(t, m)[`authproxy_requests_total{code="200",method="GET",upstream="orders"}`]; got != 2 {
		t.Errorf("counted %v of 2 requests", got)
	}
}

func TestManyMethodsAndStatusesStayFewSeries(t *testing.T) {
	m := New(BuildInfo{})
	observer := m.Upstream("orders")
	before := len(scrape(t, m))
	for i := range 2000 {
		observer.Observe(nil)(&proxy.Record{Method: string(rune('A' + i)), Status: 600 + i})
	}
	if added := len(scrape(t, m)) - before; added != 1 {
		t.Errorf("%d series were added, want 1", added)
	}
}

func TestConcurrentRequestsAreAllCounted(t *testing.T) {
	m := New(BuildInfo{})
	observer := m.Upstream("orders")
	methods := []string{"GET", "POST", "BREW"}
	const callers, each = 8, 300
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for i := range each {
				observer.Observe(nil)(&proxy.Record{Method: methods[i%len(methods)], Status: 200 + i%5})
			}
		})
	}
	all.Go(func() { gather(t, m) })
	all.Wait()

	series := scrape(t, m)
	if got := series[`authproxy_request_duration_seconds_count{upstream="orders"}`]; got != callers*each {
		t.Errorf("%v durations, want %d", got, callers*each)
	}
	if got := series[`authproxy_requests_in_flight{upstream="orders"}`]; got != 0 {
		t.Errorf("%v in flight at the end", got)
	}
	if got := series[`authproxy_requests_total{code="200",method="GET",upstream="orders"}`]; got != callers*each/15 {
		t.Errorf("%v of GET and 200, want %d", got, callers*each/15)
	}
}

func TestOrdinaryRequestsAllocateNothing(t *testing.T) {
	observer := New(BuildInfo{}).Upstream("orders")
	for _, record := range []*proxy.Record{
		{Method: "GET", Status: 200, Duration: time.Millisecond},
		{Method: "TRACE", Status: 599, Duration: time.Hour},
		{Method: "BREW", Status: 1000},
	} {
		// AllocsPerRun calls once before it measures, which warms the counter.
		if n := testing.AllocsPerRun(1000, func() { observer.Observe(nil)(record) }); n != 0 {
			t.Errorf("%s %d: %v allocations", record.Method, record.Status, n)
		}
	}
}

func TestMethodLabelsAreTheirSlots(t *testing.T) {
	labels := methodLabels()
	for slot, label := range labels {
		if got := methodSlot(label); got != slot {
			t.Errorf("%s has slot %d, want %d", label, got, slot)
		}
	}
	if slices.Contains(labels[:], "") {
		t.Error("a slot has no label")
	}
}

// BenchmarkFinished: what counting costs a request, without a trace, with one that nobody records, and with
// one that becomes an exemplar.
func BenchmarkFinished(b *testing.B) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0"
	for name, header := range map[string]http.Header{"none": {}, "unrecorded": {"Traceparent": {parent + "0"}}, "exemplar": {"Traceparent": {parent + "1"}}} {
		b.Run(name, func(b *testing.B) {
			observer := New(BuildInfo{}).Upstream("orders")
			record := &proxy.Record{Method: http.MethodDelete, Status: 200, Duration: 30 * time.Millisecond, Request: &http.Request{Header: header}}
			b.ReportAllocs()
			for b.Loop() {
				observer.Observe(nil)(record)
			}
		})
	}
}
