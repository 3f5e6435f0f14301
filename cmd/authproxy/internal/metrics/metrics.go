// Package metrics counts what the two pillars record, in the form Prometheus
// reads. Every series exists from the first scrape, so that a rate over it and
// an alert on it work before the first failure.
package metrics

import (
	"net/http"
	"runtime"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"authproxy/proxy"
)

// BuildInfo names the program that runs. The labels goversion, goos and goarch
// of authproxy_build_info come from the runtime.
type BuildInfo struct {
	// Version is the released version, such as "1.2.0".
	Version string
	// Revision is the commit it was built from.
	Revision string
}

// Metrics holds every metric of one process. It is safe for concurrent use.
type Metrics struct {
	registry  *prometheus.Registry
	upstreams upstreamVecs
	rejected  *prometheus.CounterVec
	tokens    tokenVecs
	states    *tokenStates

	reloadOK, reloadTime prometheus.Gauge
	replay               atomic.Pointer[func() int64]
	dropped              atomic.Pointer[func() uint64]
	store                *prometheus.CounterVec // nil without one
}

// New returns metrics in a registry of their own, with those of the Go runtime
// and of the process beside them. The configuration counts as loaded now: a
// program that counts has read one.
func New(build BuildInfo) *Metrics {
	m := &Metrics{
		registry:  prometheus.NewRegistry(),
		upstreams: newUpstreamVecs(),
		rejected: counterVec("rejected_requests_total",
			"Requests that authproxy itself answered, by error code; not_http: connections that spoke something else.", "reason"),
		tokens: newTokenVecs(),
		states: newTokenStates(),
		reloadOK: gauge("config_last_reload_successful",
			"1 if the last attempt to load the configuration succeeded, else 0."),
		reloadTime: gauge("config_last_reload_success_timestamp_seconds",
			"Unix time of the last successful load of the configuration."),
	}
	m.registry.MustRegister(collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.rejected, m.states, m.reloadOK, m.reloadTime, buildInfo(build))
	m.registry.MustRegister(m.upstreams.collectors()...)
	m.registry.MustRegister(m.tokens.collectors()...)
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: "replay_memory_bytes",
		Help: "Memory in which request bodies are kept that may be sent again; replay_memory bounds it."}, m.replayMemory))
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: namespace, Name: "log_lines_dropped_total",
		Help: "Lines of the log that nobody read in time, or at all."}, m.logLinesDropped))
	for _, code := range proxy.Codes() {
		m.rejected.WithLabelValues(string(code))
	}
	m.rejected.WithLabelValues(notHTTP)
	m.ConfigLoaded(true)
	return m
}

// notHTTP is the reason of connections on which something else than HTTP is spoken.
const notHTTP = "not_http"

// NotHTTP counts a connection on which something else than HTTP is spoken.
func (m *Metrics) NotHTTP() { m.rejected.WithLabelValues(notHTTP).Inc() }

// Store registers the counter of what is done with the store, and returns what counts.
// Only a program that has a store has these series. Asked again, it goes on with the same.
func (m *Metrics) Store() (count func(operation, result string)) {
	if m.store == nil {
		m.store = counterVec("store_operations_total", "Uses of the store of tokens, by what came of them.", "operation", "result")
		m.registry.MustRegister(m.store)
		for _, operation := range []string{"load", "save", "lock", "announce"} {
			for _, result := range []string{"ok", "absent", "error"} {
				m.store.WithLabelValues(operation, result)
			}
		}
	}
	operations := m.store
	return func(operation, result string) { operations.WithLabelValues(operation, result).Inc() }
}

// NoStore takes that counter away.
func (m *Metrics) NoStore() {
	if m.store != nil {
		m.registry.Unregister(m.store)
		m.store = nil
	}
}

// ForgetUpstream takes the series of an upstream away that is gone.
func (m *Metrics) ForgetUpstream(name string) {
	of := prometheus.Labels{"upstream": name}
	m.upstreams.requests.DeletePartialMatch(of)
	m.upstreams.retries.DeletePartialMatch(of)
	m.upstreams.errors.DeletePartialMatch(of)
	m.upstreams.duration.DeletePartialMatch(of)
	m.upstreams.inFlight.DeletePartialMatch(of)
}

// ForgetToken takes the series of a token away that is gone.
func (m *Metrics) ForgetToken(name string) {
	of := prometheus.Labels{"token": name}
	m.tokens.fetches.DeletePartialMatch(of)
	m.tokens.errors.DeletePartialMatch(of)
	m.tokens.invalidations.DeletePartialMatch(of)
	m.tokens.duration.DeletePartialMatch(of)
	m.states.remove(name)
}

// HeadCut counts a connection that was closed because the heads of requests took too much
// memory together.
func (m *Metrics) HeadCut() { m.rejected.WithLabelValues(string(proxy.CodeOverloaded)).Inc() }

// ReplayMemory has used asked from now on how much memory keeps request bodies.
func (m *Metrics) ReplayMemory(used func() int64) { m.replay.Store(&used) }

func (m *Metrics) replayMemory() float64 {
	used := m.replay.Load()
	if used == nil {
		return 0
	}
	return float64((*used)())
}

// LogLinesDropped has count asked from now on how many lines of the log were dropped.
func (m *Metrics) LogLinesDropped(count func() uint64) { m.dropped.Store(&count) }

func (m *Metrics) logLinesDropped() float64 {
	count := m.dropped.Load()
	if count == nil {
		return 0
	}
	return float64((*count)())
}

// Handler answers a scrape, in the text format or as OpenMetrics. A metric that
// cannot be collected is left out; the others are still served.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		EnableOpenMetrics: true,
		ErrorHandling:     promhttp.ContinueOnError,
	})
}

// ConfigLoaded records how an attempt to load the configuration ended.
func (m *Metrics) ConfigLoaded(ok bool) {
	if !ok {
		m.reloadOK.Set(0)
		return
	}
	m.reloadOK.Set(1)
	m.reloadTime.SetToCurrentTime()
}

func buildInfo(build BuildInfo) prometheus.Collector {
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info",
		Help: "Always 1; the labels name the program that runs.",
	}, []string{"version", "revision", "goversion", "goos", "goarch"})
	info.WithLabelValues(build.Version, build.Revision, runtime.Version(), runtime.GOOS, runtime.GOARCH).Set(1)
	return info
}
