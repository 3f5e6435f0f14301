package loadgen

import (
	"strings"
	"testing"
	"time"
)

const wrkOut = `Running 1s test @ http://127.0.0.1:18123/small
  1 threads and 4 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.46ms    0.94ms  14.57ms   96.33%
    Req/Sec     2.78k   271.86     2.96k    90.00%
  Latency Distribution
     50%  830.00us
     75%    1.59ms
     90%    1.91ms
     99%    4.42ms
  2762 requests in 1.00s, 1.37MB read
Requests/sec:   2761.17
Transfer/sec:      1.37MB
`

const heyOut = `
Summary:
  Total:	1.0017 secs
  Slowest:	0.0052 secs
  Requests/sec:	2347.0529

Latency distribution:
  10% in 0.0011 secs
  50% in 0.0016 secs
  99% in 0.0032 secs

Status code distribution:
  [200]	2351 responses
  [204]	2 responses
`

func TestParse(t *testing.T) {
	wrk, err := parseWrk(wrkOut)
	if want := (Result{2762, 2761.17, 830 * time.Microsecond, 4420 * time.Microsecond}); err != nil || wrk != want {
		t.Errorf("wrk: %+v, %v", wrk, err)
	}
	hey, err := parseHey(heyOut)
	if want := (Result{2353, 2347.0529, 1600 * time.Microsecond, 3200 * time.Microsecond}); err != nil || hey != want {
		t.Errorf("hey: %+v, %v", hey, err)
	}
}

// TestParseFailures: no figure comes out of a run in which an answer was wrong.
func TestParseFailures(t *testing.T) {
	for name, c := range map[string]struct {
		parse func(string) (Result, error)
		out   string
		want  string
	}{
		"wrk, status":    {parseWrk, wrkOut + "  Non-2xx or 3xx responses: 12\n", "12 answers"},
		"wrk, sockets":   {parseWrk, wrkOut + "  Socket errors: connect 0, read 3, write 0, timeout 0\n", "read 3"},
		"wrk, nothing":   {parseWrk, "unable to connect", "no figures"},
		"wrk, no tail":   {parseWrk, strings.Replace(wrkOut, "99%", "98%", 1), "no figures"},
		"hey, status":    {parseHey, heyOut + "  [503]	4 responses\n", "4 answers with status 503"},
		"hey, redirects": {parseHey, heyOut + "  [302]	4 responses\n", "4 answers with status 302"},
		"hey, errors":    {parseHey, heyOut + "\nError distribution:\n  [7]	Get: connection refused\n", "connection refused"},
		"hey, nothing":   {parseHey, "", "no figures"},
	} {
		if _, err := c.parse(c.out); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
}
