package main

import (
	"context"
	"time"

	"authproxy/bench/internal/figures"
	"authproxy/bench/internal/loadgen"
	"authproxy/bench/internal/peers"
	"authproxy/bench/internal/proc"
)

// sample is what one program's turn in one round gave.
type sample struct {
	CPU       float64 `json:"cpu_us_per_request"`
	PerSecond float64 `json:"requests_per_second"`
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	Memory    float64 `json:"memory_mib"` // the most that was seen
	Requests  int     `json:"requests"`
}

// row is one program in one case.
type row struct {
	Upstream    string   `json:"upstream"`
	Case        string   `json:"case"`
	Connections int      `json:"connections"`
	Program     string   `json:"program"`
	Failed      string   `json:"failed,omitempty"`
	Median      sample   `json:"median"`
	Samples     []sample `json:"samples"`
}

// turn is a program that runs and waits for its turns.
type turn struct {
	row     *row
	request loadgen.Request
	process *proc.Process // nil for the upstream itself
}

// start runs p and sees that it answers; if not, its row says why.
func (b *bench) start(p peers.Program, link peers.Link, w workload, connections int) *turn {
	t := &turn{row: &row{Upstream: string(link), Case: w.title, Connections: connections, Program: p.Name}}
	process, err := p.Start(b.scene, link)
	if err != nil {
		t.row.Failed = err.Error()
		return t
	}
	t.process = process
	if process == nil {
		t.request = w.request(b.scene.URL(link), "Bearer "+b.scene.Token)
	} else {
		t.request = w.request(process.URL, "")
	}
	if err := w.check(t.request); err != nil {
		t.row.Failed = err.Error()
	}
	return t
}

func (t *turn) stop() {
	if t.process != nil {
		t.process.Stop()
	}
}

// warm lets pools and buffers have their size. An error means that the run was
// interrupted; other failures are the row's.
func (t *turn) warm(ctx context.Context, g loadgen.Generator) error {
	if t.row.Failed != "" {
		return nil
	}
	_, err := g.Run(ctx, t.request, t.row.Connections, time.Second)
	return t.failed(ctx, err)
}

func (t *turn) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		t.row.Failed = "interrupted"
		return context.Cause(ctx)
	}
	if err != nil {
		t.row.Failed = err.Error()
	}
	return nil
}

func (t *turn) measure(ctx context.Context, g loadgen.Generator, length time.Duration) error {
	if t.row.Failed != "" {
		return nil
	}
	var r loadgen.Result
	send := func() (err error) {
		r, err = g.Run(ctx, t.request, t.row.Connections, length)
		return err
	}
	s, err := use(t.process, send)
	if err != nil {
		return t.failed(ctx, err)
	}
	s.CPU /= float64(r.Requests)
	s.Requests, s.PerSecond, s.P50, s.P99 = r.Requests, r.PerSecond, micros(r.P50), micros(r.P99)
	t.row.Samples = append(t.row.Samples, s)
	return nil
}

// use returns the CPU time in microseconds and the memory that p uses during f.
func use(p *proc.Process, f func() error) (sample, error) {
	if p == nil {
		return sample{}, f()
	}
	var s sample
	cpu, err := p.CPUOf(func() (err error) {
		s.Memory, err = p.PeakRSS(f)
		return err
	})
	s.CPU = micros(cpu)
	return s, err
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// median fills r.Median.
func (r *row) median() {
	of := func(field func(sample) float64) float64 {
		var values []float64
		for _, s := range r.Samples {
			values = append(values, field(s))
		}
		return figures.Median(values)
	}
	r.Median = sample{
		CPU:       of(func(s sample) float64 { return s.CPU }),
		PerSecond: of(func(s sample) float64 { return s.PerSecond }),
		P50:       of(func(s sample) float64 { return s.P50 }),
		P99:       of(func(s sample) float64 { return s.P99 }),
		Memory:    of(func(s sample) float64 { return s.Memory }),
		Requests:  int(of(func(s sample) float64 { return float64(s.Requests) })),
	}
}

// against is the median of the ratios of CPU time, round by round; 0 when
// there is none.
func (r *row) against(other *row) float64 {
	if other == nil {
		return 0
	}
	var ratios []float64
	for i := range min(len(r.Samples), len(other.Samples)) {
		if other.Samples[i].CPU > 0 {
			ratios = append(ratios, r.Samples[i].CPU/other.Samples[i].CPU)
		}
	}
	return figures.Median(ratios)
}
