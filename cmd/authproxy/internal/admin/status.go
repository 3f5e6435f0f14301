package admin

import (
	"encoding/json"
	"net/http"
	"time"
)

// Status is all that the status page shows, and what /api/status answers: docs/status.md
// says what each member means. Members may be added, and none is taken away or renamed. It
// holds no token, secret or query string.
type Status struct {
	Time      time.Time  `json:"time"`
	Program   Program    `json:"program"`
	Ready     bool       `json:"ready"`
	NotReady  string     `json:"not_ready,omitempty"`
	Config    Config     `json:"config"`
	Step      int        `json:"step_seconds"`
	Tokens    []Token    `json:"tokens"`
	Upstreams []Upstream `json:"upstreams"`
	Rejected  []Failure  `json:"rejected"`
}

// Program is what runs.
type Program struct {
	Version  string    `json:"version"`
	Revision string    `json:"revision,omitempty"`
	Started  time.Time `json:"started"`
}

// Config is the configuration that is served.
type Config struct {
	File     string    `json:"file,omitempty"`
	Loaded   time.Time `json:"loaded"`
	Error    string    `json:"error,omitempty"`
	Warnings []string  `json:"warnings"`
}

// Token is the life of one.
type Token struct {
	Name        string     `json:"name"`
	Provider    string     `json:"provider,omitempty"`
	Valid       bool       `json:"valid"`
	Fingerprint string     `json:"fingerprint,omitempty"`
	Issued      *time.Time `json:"issued,omitempty"`
	Renewal     *time.Time `json:"renewal,omitempty"`
	Expiry      *time.Time `json:"expiry,omitempty"`
	Waiting     int        `json:"waiting"`
	Store       string     `json:"store,omitempty"`
	Fetch       *Fetch     `json:"last_fetch,omitempty"`
	Error       string     `json:"error,omitempty"`
	LastError   *TextAt    `json:"last_error,omitempty"`
	NextTry     *time.Time `json:"next_try,omitempty"`
	Fetched     uint32     `json:"fetched"`
	Failed      uint32     `json:"failed"`
	Replaced    uint64     `json:"replaced"`
	Rival       *time.Time `json:"rival,omitempty"`
	Upstreams   []string   `json:"upstreams"`
}

// Fetch is one attempt to get a token.
type Fetch struct {
	Time     time.Time `json:"time"`
	Cause    string    `json:"cause"`
	Result   string    `json:"result"`
	Duration float64   `json:"duration_ms"`
}

// TextAt is what was said at a time.
type TextAt struct {
	Time time.Time `json:"time"`
	Text string    `json:"text"`
}

// Upstream is what went to one. Lists have a figure for each step, the oldest first, of
// which the last is not over; durations are null in a step without requests.
type Upstream struct {
	Name     string              `json:"name"`
	Address  string              `json:"address"`
	URL      string              `json:"url"`
	Token    string              `json:"token"`
	InFlight int64               `json:"in_flight"`
	Requests []uint32            `json:"requests"`
	Failed   []uint32            `json:"failed"`
	Retries  map[string][]uint32 `json:"retries"`
	Median   []*float64          `json:"p50_ms"`
	P95      []*float64          `json:"p95_ms"`
	Total    Durations           `json:"total"`
	Failures []Failure           `json:"failures"`
}

// Durations are over all steps; null without a request.
type Durations struct {
	Median *float64 `json:"p50_ms"`
	P95    *float64 `json:"p95_ms"`
	P99    *float64 `json:"p99_ms"`
}

// Failure is the latest of the requests that failed in one way.
type Failure struct {
	Time    time.Time `json:"time"`
	Count   uint64    `json:"count"`
	Method  string    `json:"method"`
	Path    string    `json:"path"`
	Status  int       `json:"status"`
	Code    string    `json:"code,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Outcome string    `json:"outcome,omitempty"`
	Text    string    `json:"text,omitempty"`
}

// statusJSON answers with what read returns.
func statusJSON(read func() Status) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		text, err := json.Marshal(read())
		if err != nil {
			http.Error(w, "the status cannot be written as JSON", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(append(text, '\n'))
	}
}
