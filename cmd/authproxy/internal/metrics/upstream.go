package metrics

import (
	"math/bits"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"authproxy/proxy"
)

type upstreamVecs struct {
	requests, retries, errors *prometheus.CounterVec
	duration                  *prometheus.HistogramVec
	inFlight                  *prometheus.GaugeVec
}

func newUpstreamVecs() upstreamVecs {
	return upstreamVecs{
		requests: counterVec("requests_total",
			"Requests answered, by the status that the client got; 499 when it left before.",
			"upstream", "method", "code"),
		retries: counterVec("retries_total",
			"Refused tokens, by what gave them away and what came of it.",
			"upstream", "trigger", "outcome"),
		errors: counterVec("upstream_errors_total",
			"Exchanges with the upstream that failed, by reason.", "upstream", "reason"),
		duration: secondsVec("request_duration_seconds",
			"Time from the arrival of a request to the end of its answer.", "upstream"),
		inFlight: gaugeVec("requests_in_flight",
			"Requests that have arrived and whose answer has not ended.", "upstream"),
	}
}

func (v upstreamVecs) collectors() []prometheus.Collector {
	return []prometheus.Collector{v.requests, v.retries, v.errors, v.duration, v.inFlight}
}

// Upstream returns the observer of the upstream of that name, and creates its
// series. Asked again for the same name, it goes on with the same series.
func (m *Metrics) Upstream(name string) proxy.Observer {
	u := &upstream{
		name:     name,
		vecs:     m.upstreams,
		rejected: m.rejected,
		duration: m.upstreams.duration.WithLabelValues(name).(prometheus.ExemplarObserver), // as all histograms are
		inFlight: m.upstreams.inFlight.WithLabelValues(name),
	}
	u.done = u.finished
	u.requests(http.MethodGet, http.StatusOK)
	for _, trigger := range proxy.Triggers() {
		for _, outcome := range proxy.Outcomes() {
			u.vecs.retries.WithLabelValues(name, string(trigger), string(outcome))
		}
	}
	for _, reason := range proxy.Reasons() {
		u.vecs.errors.WithLabelValues(name, string(reason))
	}
	return u
}

// Slots of the counters of one upstream: the methods and statuses that HTTP
// defines, and one more for all others, so that no caller decides how many
// series there are.
const (
	methodSlots = 10
	otherMethod = methodSlots - 1

	minStatus, maxStatus = 100, 599
	statusSlots          = maxStatus - minStatus + 2
	otherStatus          = statusSlots - 1
)

// otherLabel is the value of the labels method and code for all others.
const otherLabel = "other"

func methodLabels() [methodSlots]string {
	return [methodSlots]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodConnect, http.MethodOptions, http.MethodTrace,
		otherMethod: otherLabel}
}

func methodSlot(method string) int {
	labels := methodLabels()
	if slot := slices.Index(labels[:], method); slot >= 0 {
		return slot
	}
	return otherMethod
}

func statusSlot(status int) int {
	if status < minStatus || status > maxStatus {
		return otherStatus
	}
	return status - minStatus
}

func statusLabel(slot int) string {
	if slot == otherStatus {
		return otherLabel
	}
	return strconv.Itoa(slot + minStatus)
}

// upstream is the observer of one upstream. An ordinary request looks up no
// label: its counter is remembered in answered by method and status.
type upstream struct {
	name     string
	vecs     upstreamVecs
	rejected *prometheus.CounterVec
	duration prometheus.ExemplarObserver
	inFlight prometheus.Gauge
	done     func(*proxy.Record) // finished, made once for all requests
	shown    [65]atomic.Int64    // the second of the last exemplar, see due
	answered [methodSlots][statusSlots]atomic.Pointer[prometheus.Counter]
}

// Observe implements [proxy.Observer].
func (u *upstream) Observe(*http.Request) func(*proxy.Record) {
	u.inFlight.Inc()
	return u.done
}

func (u *upstream) finished(r *proxy.Record) {
	u.inFlight.Dec()
	u.requests(r.Method, r.Status).Inc()
	u.took(r)
	if r.Outcome != "" {
		u.vecs.retries.WithLabelValues(u.name, string(r.Trigger), string(r.Outcome)).Inc()
	}
	if r.UpstreamError != "" {
		u.vecs.errors.WithLabelValues(u.name, string(r.UpstreamError)).Inc()
	}
	if r.Rejected != "" {
		u.rejected.WithLabelValues(string(r.Rejected)).Inc()
	}
}

// took counts how long r took, with its trace as an exemplar where somebody records that.
func (u *upstream) took(r *proxy.Record) {
	var exemplar prometheus.Labels
	if id, sampled := r.Trace(); sampled && u.due(r) {
		exemplar = prometheus.Labels{"trace_id": strings.Clone(id)} // which is kept, but not the head that it stands in
	}
	u.duration.ObserveWithExemplar(r.Duration.Seconds(), exemplar)
}

// due tells whether r may be the exemplar of durations like its own, to a factor of two: one in a
// second may, since a scrape shows the last of them alone.
func (u *upstream) due(r *proxy.Record) bool {
	second := r.Start.Add(r.Duration).Unix()
	return u.shown[bits.Len64(uint64(max(0, r.Duration.Milliseconds())))].Swap(second) != second
}

func (u *upstream) requests(method string, status int) prometheus.Counter {
	m, s := methodSlot(method), statusSlot(status)
	if known := u.answered[m][s].Load(); known != nil {
		return *known
	}
	counter := u.vecs.requests.WithLabelValues(u.name, methodLabels()[m], statusLabel(s))
	u.answered[m][s].Store(&counter)
	return counter
}

// Unrouted returns the observer of the requests that no upstream claimed. They
// count as rejected requests and nowhere else.
func (m *Metrics) Unrouted() proxy.Observer {
	return unrouted(func(r *proxy.Record) {
		if r.Rejected != "" {
			m.rejected.WithLabelValues(string(r.Rejected)).Inc()
		}
	})
}

// unrouted is what is done at the end of such a request.
type unrouted func(*proxy.Record)

// Observe implements [proxy.Observer].
func (u unrouted) Observe(*http.Request) func(*proxy.Record) { return u }
