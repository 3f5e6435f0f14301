package loadgen

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	wrkTotal      = regexp.MustCompile(`(?m)^\s*(\d+) requests in `)
	wrkPerSecond  = regexp.MustCompile(`(?m)^Requests/sec:\s+([\d.]+)`)
	wrkQuantile   = regexp.MustCompile(`(?m)^\s+(50|99)%\s+([\d.]+(?:us|ms|s|m|h))\s*$`)
	wrkSocket     = regexp.MustCompile(`(?m)^\s*Socket errors: (.+)$`)
	wrkStatus     = regexp.MustCompile(`(?m)^\s*Non-2xx or 3xx responses: (\d+)`)
	heyPerSecond  = regexp.MustCompile(`(?m)^\s*Requests/sec:\s+([\d.]+)`)
	heyQuantile   = regexp.MustCompile(`(?m)^\s*(50|99)% in ([\d.]+) secs`)
	heyStatus     = regexp.MustCompile(`(?m)^\s*\[(\d{3})\]\s+(\d+) responses`)
	heyFailedHead = "Error distribution:"
)

// parseWrk reads what wrk --latency prints.
func parseWrk(out string) (Result, error) {
	if m := wrkStatus.FindStringSubmatch(out); m != nil {
		return Result{}, fmt.Errorf("%s answers were no success", m[1])
	}
	if m := wrkSocket.FindStringSubmatch(out); m != nil {
		return Result{}, fmt.Errorf("failed connections: %s", m[1])
	}
	r := Result{Requests: int(number(wrkTotal, out)), PerSecond: number(wrkPerSecond, out)}
	for _, m := range wrkQuantile.FindAllStringSubmatch(out, -1) {
		d, err := time.ParseDuration(m[2])
		if err != nil {
			return Result{}, fmt.Errorf("wrk's latency: %w", err)
		}
		r.quantile(m[1], d)
	}
	return r, r.complete("wrk", out)
}

// parseHey reads what hey prints.
func parseHey(out string) (Result, error) {
	if _, errors, failed := strings.Cut(out, heyFailedHead); failed {
		return Result{}, fmt.Errorf("failed requests: %.200s", strings.Join(strings.Fields(errors), " "))
	}
	r := Result{PerSecond: number(heyPerSecond, out)}
	for _, m := range heyStatus.FindAllStringSubmatch(out, -1) {
		if m[1][0] != '2' {
			return Result{}, fmt.Errorf("%s answers with status %s", m[2], m[1])
		}
		n, _ := strconv.Atoi(m[2])
		r.Requests += n
	}
	for _, m := range heyQuantile.FindAllStringSubmatch(out, -1) {
		d, err := time.ParseDuration(m[2] + "s")
		if err != nil {
			return Result{}, fmt.Errorf("hey's latency: %w", err)
		}
		r.quantile(m[1], d)
	}
	return r, r.complete("hey", out)
}

func (r *Result) quantile(which string, d time.Duration) {
	if which == "50" {
		r.P50 = d
	} else {
		r.P99 = d
	}
}

func (r *Result) complete(generator, out string) error {
	if r.Requests == 0 || r.PerSecond == 0 || r.P50 == 0 || r.P99 == 0 {
		return fmt.Errorf("%s gave no figures: %.300s", generator, out)
	}
	return nil
}

func number(pattern *regexp.Regexp, text string) float64 {
	m := pattern.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, _ := strconv.ParseFloat(m[1], 64)
	return n
}
