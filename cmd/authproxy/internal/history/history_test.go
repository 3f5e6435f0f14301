package history

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"authproxy/proxy"
	"authproxy/tokencache"
)

// record is of a request that has just ended.
func record(took time.Duration, change ...func(*proxy.Record)) *proxy.Record {
	r := &proxy.Record{Method: "GET", Path: "/x", Status: 200, Start: time.Now().Add(-took), Duration: took}
	for _, c := range change {
		c(r)
	}
	return r
}

func sum(list []uint32) (all uint32) {
	for _, n := range list {
		all += n
	}
	return all
}

// TestSteps: what is counted stays for 15 minutes, at its place, and goes then.
func TestSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := New()
		u := h.Upstream("main")
		done := u.Observe(nil)
		if u.Recent().InFlight != 1 {
			t.Error("what is in flight is not counted")
		}
		done(record(0, func(r *proxy.Record) { r.Outcome = proxy.OutcomeRecovered }))
		time.Sleep(5 * time.Minute)
		for range 3 {
			u.Observe(nil)(record(40*time.Millisecond, func(r *proxy.Record) { r.Status = 503 }))
		}
		r := u.Recent()
		if len(r.Requests) != Steps || r.Requests[Steps-1] != 3 || r.Requests[Steps-1-30] != 1 || sum(r.Requests) != 4 || sum(r.Failed) != 3 {
			t.Errorf("%v %v", r.Requests, r.Failed)
		}
		if got := r.Outcomes[proxy.OutcomeRecovered]; len(got) != Steps || got[Steps-1-30] != 1 || len(r.Outcomes) != 1 {
			t.Errorf("%v", r.Outcomes)
		}
		if r.Median[0] >= 0 || r.Median[Steps-1] < 30*time.Millisecond || r.P95[Steps-1] > 50*time.Millisecond {
			t.Errorf("%v %v", r.Median[Steps-1], r.P95[Steps-1])
		}
		time.Sleep(Steps*Step - 5*time.Minute)
		if r := u.Recent(); sum(r.Requests) != 3 {
			t.Errorf("what is older than 15 minutes is still there: %v", r.Requests)
		}
		u.Observe(nil)(record(0)) // into the place of the first
		if r := u.Recent(); sum(r.Requests) != 4 || r.Requests[Steps-1] != 1 || len(r.Outcomes) != 0 {
			t.Errorf("%v %v", r.Requests, r.Outcomes)
		}
		time.Sleep(24 * time.Hour)
		if r := u.Recent(); sum(r.Requests) != 0 || r.Total.Median >= 0 || r.InFlight != 0 {
			t.Errorf("%v", r)
		}
		if h.Upstream("main") != u {
			t.Error("it does not go on")
		}
		h.ForgetUpstream("main")
		if h.Upstream("main") == u {
			t.Error("it is not forgotten")
		}
	})
}

// TestQuantiles are at most a quarter off, over all durations that there may be.
func TestQuantiles(t *testing.T) {
	for _, took := range []time.Duration{0, time.Millisecond, 7 * time.Millisecond, 99 * time.Millisecond, time.Second, 59 * time.Second} {
		var c counts
		c[spanOf(took)] = 1000
		for _, q := range []float64{0.01, 0.5, 0.99} {
			got := c.quantile(q)
			if took > time.Millisecond/2 && (got < took*3/4 || got > took*3/2) || took == 0 && got > 400*time.Microsecond {
				t.Errorf("%v: %v at %v", took, got, q)
			}
		}
	}
	var c counts
	for i := range 1000 {
		c[spanOf(time.Duration(i)*time.Millisecond)]++
	}
	for q, want := range map[float64]time.Duration{0.5: 500 * time.Millisecond, 0.95: 950 * time.Millisecond, 0.99: 990 * time.Millisecond} {
		if got := c.quantile(q); got < want*9/10 || got > want*11/10 {
			t.Errorf("%v: %v", q, got)
		}
	}
	for span := range spans {
		if got := spanOf(begin(span)); got != span {
			t.Errorf("%d begins at %v, which falls into %d", span, begin(span), got)
		}
	}
	if got := spanOf(time.Hour); got != spans-1 {
		t.Error(got)
	}
}

// TestFailures: equal ones are one with a count, the latest come first, and no more are kept
// than there is room for, however long what others write is.
func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := New().Upstream("main")
		for i := range 100 {
			for range 3 {
				u.finished(record(0, func(r *proxy.Record) {
					r.Status, r.UpstreamError, r.Err = 500+i, proxy.ReasonDial, errors.New(strings.Repeat("\x1b[", 9000))
					r.Path, r.Method = "/"+strings.Repeat("x", 100_000), strings.Repeat("M", 100_000)
				}))
			}
		}
		all := u.Recent().Failures
		if len(all) != kept || all[0].Status != 599 || all[kept-1].Status != 590 || all[0].Count != 3 {
			t.Errorf("%d, %d to %d", len(all), all[0].Status, all[len(all)-1].Status)
		}
		bytes := 0
		for _, f := range all {
			bytes += len(f.Path) + len(f.Text) + len(f.Method)
			if strings.ContainsRune(f.Text, 0x1b) {
				t.Error("control characters are kept")
			}
		}
		if bytes > kept*(maxMethod+maxPath+maxText) {
			t.Errorf("%d bytes are kept", bytes)
		}
		time.Sleep(time.Minute)
		u.finished(record(0, func(r *proxy.Record) { r.Status, r.UpstreamError, r.Path = 590, proxy.ReasonDial, "/new" }))
		if f := u.Recent().Failures[0]; f.Status != 590 || f.Count != 4 || f.Path != "/new" || !f.Last.Equal(time.Now()) {
			t.Errorf("%+v", f)
		}
		u.finished(record(0))
		if f := u.Recent().Failures[0]; f.Status != 590 {
			t.Error("what went well counts as a failure")
		}
	})
}

// TestSizes: as much memory as the documentation says.
func TestSizes(t *testing.T) {
	if got := unsafe.Sizeof(Upstream{}); got > 22<<10 {
		t.Errorf("an upstream takes %d bytes", got)
	}
	if got := unsafe.Sizeof(Token{}); got > 4<<10 {
		t.Errorf("a token takes %d bytes", got)
	}
	if outcomes != len(proxy.Outcomes()) {
		t.Error("there are other outcomes now")
	}
}

// TestManyAtOnce loses nothing while steps are renewed and read.
func TestManyAtOnce(t *testing.T) {
	h := New()
	h.began = time.Now().Add(-time.Hour)
	u := h.Upstream("main")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 2000 {
				u.Observe(nil)(record(time.Millisecond, func(r *proxy.Record) { r.Status = 502 }))
			}
		})
	}
	for range 20 {
		u.Recent()
	}
	all.Wait()
	if got := sum(u.Recent().Requests); got != 16_000 {
		t.Error(got)
	}
}

// TestTokens: the last fetch, the last failure, and how many there were.
func TestTokens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		token := New().Token("main")
		fetch := func(f tokencache.Fetch) {
			done := token.Observe(tokencache.Start{Time: time.Now()})
			time.Sleep(f.Duration)
			done(f)
		}
		fetch(tokencache.Fetch{Result: tokencache.ResultOK, Cause: tokencache.CauseFirst, Duration: time.Second})
		time.Sleep(time.Minute)
		fetch(tokencache.Fetch{Result: tokencache.ResultError, Cause: tokencache.CauseRefused, Err: fmt.Errorf("bad: %s", strings.Repeat("x", 9000)), Rival: true})
		failed := time.Now()
		time.Sleep(time.Minute)
		fetch(tokencache.Fetch{Result: tokencache.ResultAdopted, Cause: tokencache.CauseRefused, Replaced: true})
		got := token.Fetches()
		if got.Result != tokencache.ResultAdopted || !got.Last.Equal(time.Now()) || !got.Failed.Equal(failed) || !got.Rival.Equal(failed) ||
			!strings.HasPrefix(got.Error, "bad: x") || len(got.Error) > maxText || got.Replaced != 1 || got.OK != 2 || got.Errors != 1 || got.Cause != tokencache.CauseRefused {
			t.Errorf("%+v", got)
		}
		time.Sleep(Steps * Step)
		if got := token.Fetches(); got.OK != 0 || got.Errors != 0 || got.Replaced != 1 {
			t.Errorf("%+v", got)
		}
	})
}

// TestDoor keeps those whom no upstream has seen.
func TestDoor(t *testing.T) {
	h := New()
	h.Door().Observe(nil)(record(0, func(r *proxy.Record) { r.Status, r.Rejected = 421, proxy.CodeHostNotAllowed }))
	if got := h.TurnedAway(); len(got) != 1 || got[0].Rejected != proxy.CodeHostNotAllowed {
		t.Errorf("%v", got)
	}
	if !slices.Equal(h.Upstream("x").Recent().Failures, nil) {
		t.Error("an upstream has it too")
	}
}

// BenchmarkRecord is what a request pays.
func BenchmarkRecord(b *testing.B) {
	u := New().Upstream("main")
	r := record(time.Millisecond)
	b.ReportAllocs()
	for b.Loop() {
		u.Observe(nil)(r)
	}
}
