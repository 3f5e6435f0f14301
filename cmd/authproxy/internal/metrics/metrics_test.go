package metrics

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"authproxy/tokencache"
)

func noToken() tokencache.State { return tokencache.State{Fingerprint: "-"} }

// scrape returns the value of each series of ours, by name and labels.
func scrape(t *testing.T, m *Metrics) map[string]float64 {
	t.Helper()
	server := httptest.NewServer(m.Handler())
	defer server.Close()
	body := get(t, server.URL, "text/plain")
	series := map[string]float64{}
	for line := range strings.Lines(body) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.HasPrefix(name, namespace+"_") {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		series[name] = number
	}
	return series
}

// gather is a scrape for goroutines, which may not end the test.
func gather(t *testing.T, m *Metrics) {
	if _, err := m.registry.Gather(); err != nil {
		t.Error(err)
	}
}

func TestEverySeriesExistsBeforeTheFirstRequest(t *testing.T) {
	m := New(BuildInfo{Version: "1.2.3", Revision: "abcdef0"})
	m.Upstream("orders")
	tokenOf(m, "shop", noToken)
	m.Unrouted()

	var names []string
	runtimeLabels := regexp.MustCompile(`goarch="[^"]*",goos="[^"]*",goversion="[^"]*"`)
	for name := range scrape(t, m) {
		names = append(names, runtimeLabels.ReplaceAllString(name, `goarch="ARCH",goos="OS",goversion="GO"`))
	}
	slices.Sort(names)
	got := strings.Join(names, "\n") + "\n"

	const golden = "testdata/series.txt"
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the series differ from %s; dashboards rely on them. Now:\n%s", golden, got)
	}
}

func TestCountersStartAtZero(t *testing.T) {
	m := New(BuildInfo{})
	m.Upstream("orders")
	tokenOf(m, "shop", noToken)
	set := regexp.MustCompile(`^authproxy_(build_info|config_)`)
	for name, value := range scrape(t, m) {
		if value != 0 && !set.MatchString(name) {
			t.Errorf("%s = %v before the first request", name, value)
		}
	}
}

func TestLint(t *testing.T) {
	m := New(BuildInfo{Version: "1.2.3"})
	m.Upstream("orders")
	tokenOf(m, "shop", noToken)
	problems, err := testutil.GatherAndLint(m.registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestBuildInfo(t *testing.T) {
	series := scrape(t, New(BuildInfo{Version: "1.2.3", Revision: "abcdef0"}))
	name := fmt.Sprintf(`authproxy_build_info{goarch=%q,goos=%q,goversion=%q,revision="abcdef0",version="1.2.3"}`,
		runtime.GOARCH, runtime.GOOS, runtime.Version())
	if series[name] != 1 {
		t.Errorf("%s = %v, want 1", name, series[name])
	}
}

func TestConfigLoaded(t *testing.T) {
	const ok, when = "authproxy_config_last_reload_successful", "authproxy_config_last_reload_success_timestamp_seconds"
	started := float64(time.Now().Unix())
	m := New(BuildInfo{})
	first := scrape(t, m)
	if first[ok] != 1 || first[when] < started {
		t.Errorf("at start: %v at %v, want 1 at %v or later", first[ok], first[when], started)
	}
	m.ConfigLoaded(false)
	failed := scrape(t, m)
	if failed[ok] != 0 || failed[when] != first[when] {
		t.Errorf("after a failure: %v at %v, want 0 at %v", failed[ok], failed[when], first[when])
	}
	time.Sleep(2 * time.Millisecond)
	m.ConfigLoaded(true)
	again := scrape(t, m)
	if again[ok] != 1 || again[when] <= first[when] {
		t.Errorf("after a success: %v at %v, want 1 after %v", again[ok], again[when], first[when])
	}
}

func TestTwoOfThemShareNothing(t *testing.T) {
	a, b := New(BuildInfo{}), New(BuildInfo{})
	a.Upstream("orders")
	if _, found := scrape(t, b)[`authproxy_requests_in_flight{upstream="orders"}`]; found {
		t.Error("the upstream of one appears in the other")
	}
}

func TestHandlerSpeaksOpenMetrics(t *testing.T) {
	m := New(BuildInfo{})
	server := httptest.NewServer(m.Handler())
	defer server.Close()
	body := get(t, server.URL, "application/openmetrics-text; version=1.0.0")
	if !strings.HasSuffix(body, "# EOF\n") {
		t.Errorf("no OpenMetrics: the answer ends with %q", body[max(0, len(body)-40):])
	}
	for _, want := range []string{"go_goroutines", "process_"} {
		if runtime.GOOS == "linux" && !strings.Contains(body, want) {
			t.Errorf("%s is missing", want)
		}
	}
}

func get(t *testing.T, url, accept string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", resp.Status, body)
	}
	return string(body)
}
