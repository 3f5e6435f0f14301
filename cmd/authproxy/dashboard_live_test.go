package main_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// prometheus is a running one, which scrapes a program each second.
type prometheus struct{ url string }

// newPrometheus starts that of Debian.
func newPrometheus(t *testing.T, p *authproxytest.Program) prometheus {
	t.Helper()
	installed(t, "prometheus")
	dir, port := t.TempDir(), freePort(t)
	config := filepath.Join(dir, "prometheus.yml")
	authproxytest.Write(t, config, fmt.Sprintf("global: { scrape_interval: 1s }\nscrape_configs:\n  - { job_name: authproxy, static_configs: [ { targets: [%q] } ] }\n", strings.TrimPrefix(p.Admin, "http://")))
	cmd := exec.Command("prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:"+port, "--enable-feature=exemplar-storage", "--log.level=warn")
	said := &authproxytest.Output{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // it was told to end
		if t.Failed() {
			t.Log(said)
		}
	})
	m := prometheus{"http://127.0.0.1:" + port}
	authproxytest.Eventually(t, "Prometheus to be ready", func() bool {
		a, err := authproxytest.Try(http.MethodGet, m.url+"/-/ready", nil)
		return err == nil && a.Status == http.StatusOK
	})
	return m
}

// ask asks the interface of Prometheus and returns the data that it answers with.
func (m prometheus) ask(t *testing.T, path string, params ...string) string {
	t.Helper()
	query := url.Values{}
	for i := 0; i < len(params); i += 2 {
		query.Add(params[i], params[i+1])
	}
	a := authproxytest.Ask(t, http.MethodGet, m.url+"/api/v1/"+path+"?"+query.Encode(), nil)
	var got struct {
		Status, Error string
		Warnings      []string
		Data          json.RawMessage
	}
	if err := json.Unmarshal([]byte(a.Body), &got); err != nil || got.Status != "success" || len(got.Warnings) > 0 {
		t.Errorf("%s %q: %v, %s", path, params, err, a.Body)
	}
	return string(got.Data)
}

// values are those of a query now, as text.
func (m prometheus) values(t *testing.T, query string) (all []string) {
	t.Helper()
	var data struct{ Result []struct{ Value [2]any } }
	if err := json.Unmarshal([]byte(m.ask(t, "query", "query", query)), &data); err != nil {
		t.Errorf("%s: %v", query, err)
	}
	for _, one := range data.Result {
		all = append(all, fmt.Sprint(one.Value[1]))
	}
	return all
}

// asGrafana fills in what Grafana fills in.
var asGrafana = strings.NewReplacer("$__rate_interval", "10s", "$__interval", "1m", "$__range", "1m", "$job", ".*", "$instance", ".*", "$upstream", ".*", "$token", ".*")

// busy has a program under load of every kind until the end of the test: good requests with a trace, refused
// tokens, an upstream that is gone, and callers that are not let in.
func busy(t *testing.T) *authproxytest.Program {
	t.Helper()
	platform := platformtest.NewOAuth2(platformtest.Options{})
	at := authproxytest.Serve(t, platform)
	p := authproxytest.Start(t, fmt.Sprintf(`store: { file: %q }
tokens: { main: { token_url: %q, client_id: id, client_secret: secret, min_refresh_interval: 100ms } }
upstreams: [ { name: main, token: main, url: %q }, { name: gone, token: main, url: "http://127.0.0.1:1", path: /gone/ } ]
`, filepath.Join(t.TempDir(), "own", "tokens"), at+"/oauth2/token", at))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ctx.Err() == nil; i++ {
			if i%20 == 19 {
				platform.RevokeAll()
			}
			_, _ = authproxytest.Try(http.MethodGet, p.URL+authproxytest.APIPath, nil, "traceparent", fmt.Sprintf("00-%032x-b7ad6b7169203331-01", i+1))
			_, _ = authproxytest.Try(http.MethodGet, p.URL+"/gone/x", nil)
			_, _ = authproxytest.Try(http.MethodGet, p.URL+"/x", nil, "Host", "evil.example")
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Millisecond): // the load, not a wait for something
			}
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return p
}

// TestDashboardLive: a real Prometheus, which scrapes the binary under load, has an answer to everything that
// the dashboard asks, and takes every rule.
func TestDashboardLive(t *testing.T) {
	t.Parallel()
	p := busy(t)
	m := newPrometheus(t, p)
	authproxytest.Eventually(t, "the first scrapes", func() bool { return len(m.values(t, "count_over_time(authproxy_build_info[1m]) > 4")) == 1 })
	p.Signal(t, syscall.SIGHUP)
	authproxytest.Eventually(t, "the reload to be scraped", func() bool {
		return len(m.values(t, "changes(authproxy_config_last_reload_success_timestamp_seconds[1m]) > 0")) == 1
	})
	d, _ := readDashboard(t)
	for place, expr := range d.expressions() {
		got := m.values(t, asGrafana.Replace(expr))
		if !slices.ContainsFunc(got, func(one string) bool { return one != "NaN" }) {
			t.Errorf("%s: %q: %s", place, got, expr)
		}
	}
	variable := regexp.MustCompile(`^label_values\((.*), (\w+)\)$`)
	for _, v := range d.Templating.List[1:] {
		said := variable.FindStringSubmatch(v.Definition)
		if said == nil {
			t.Fatalf("%s: %s", v.Name, v.Definition)
		}
		if got := m.ask(t, "label/"+said[2]+"/values", "match[]", asGrafana.Replace(said[1])); got == "[]" || got == "" {
			t.Errorf("the variable %s has no values", v.Name)
		}
	}
	now := time.Now()
	exemplars := m.ask(t, "query_exemplars", "query", "authproxy_request_duration_seconds_bucket", "start", now.Add(-time.Minute).Format(time.RFC3339), "end", now.Add(time.Minute).Format(time.RFC3339))
	if !strings.Contains(exemplars, `"trace_id":"0000`) {
		t.Errorf("exemplars: %s", exemplars)
	}
	for alert, expr := range alertExpressions(t) {
		m.values(t, expr)
		if alert == "" {
			t.Error("a rule without a name")
		}
	}
}

// alertExpressions are those of the rules, by name.
func alertExpressions(t *testing.T) map[string]string {
	t.Helper()
	data, err := os.ReadFile("../../deploy/prometheus/authproxy.rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal(data, &rules); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			all[r.Alert] = r.Expr
		}
	}
	if len(all) < 10 {
		t.Fatalf("only %d rules", len(all))
	}
	return all
}
