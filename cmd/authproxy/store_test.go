package main_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// onRedis is a configuration that shares over the Redis at address.
func onRedis(address, config string, more ...string) string {
	return fmt.Sprintf("store: { redis: { url: %q }%s }\n%s", "redis://"+address, strings.Join(append([]string{""}, more...), ", "), config)
}

// killer is a platform where a new token kills the old one, and its configuration.
func killer(t *testing.T) (*platformtest.Platform, string) {
	t.Helper()
	platform := platformtest.NewGongjiangyun(platformtest.Options{})
	return platform, authproxytest.Dialects()["gongjiangyun"].Config(authproxytest.Serve(t, platform))
}

func get(t *testing.T, p *authproxytest.Program) authproxytest.Answer {
	t.Helper()
	return authproxytest.Ask(t, http.MethodGet, p.URL+authproxytest.APIPath, nil)
}

// TestManyProcessesOneToken: where a new token kills the old one, processes that share a
// store use one token, and a revocation costs one token request and no refusal.
func TestManyProcessesOneToken(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	platform, config := killer(t)
	var all []*authproxytest.Program
	for range 4 {
		all = append(all, authproxytest.Start(t, onRedis(redis.Addr(), config)))
	}
	for round := 1; round <= 3; round++ {
		for range 3 {
			for _, p := range all {
				if a := get(t, p); a.Status != 200 || strings.Contains(a.Body, "INVALID") {
					t.Errorf("round %d: %d %s", round, a.Status, a.Body)
				}
			}
		}
		if got := platform.Counts().TokenRequests; got != round {
			t.Errorf("round %d: %d token requests", round, got)
		}
		platform.RevokeAll()
	}
	adopted, loaded := 0.0, 0.0
	for _, p := range all {
		series := p.Series(t)
		adopted += series[`authproxy_token_fetches_total{result="adopted",token="main"}`]
		loaded += series[`authproxy_store_operations_total{operation="load",result="ok"}`]
	}
	if adopted == 0 || loaded == 0 {
		t.Errorf("adopted %v, loaded %v", adopted, loaded)
	}
	for _, p := range all {
		for _, secret := range platform.Secrets() {
			if strings.Contains(redis.Dump()+p.Stderr.String(), secret) {
				t.Error("a secret stands in the store, or in the log")
			}
		}
	}
}

// TestRestartCostsNoTokenRequest: with a file, and with a Redis.
func TestRestartCostsNoTokenRequest(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	for name, store := range map[string]string{
		"file":  fmt.Sprintf("store: { file: %q }\n", filepath.Join(t.TempDir(), "own", "tokens")),
		"redis": fmt.Sprintf("store: { redis: { url: %q } }\n", "redis://"+redis.Addr()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			platform, config := killer(t)
			for range 3 {
				p := authproxytest.Start(t, store+config)
				if a := get(t, p); a.Status != 200 {
					t.Errorf("%d %s", a.Status, a.Body)
				}
				p.Stop(t)
			}
			if got := platform.Counts().TokenRequests; got != 1 {
				t.Errorf("%d token requests in three starts", got)
			}
		})
	}
}

// TestStoreGoesAndComes: requests go on without it, it is told of once, and used again.
func TestStoreGoesAndComes(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	address := redis.Addr()
	platform, config := killer(t)
	a, b := authproxytest.Start(t, onRedis(address, config)), authproxytest.Start(t, onRedis(address, config))
	for _, p := range []*authproxytest.Program{a, b} {
		if got := get(t, p); got.Status != 200 {
			t.Fatal(got.Body)
		}
	}
	redis.Close()
	if got := get(t, a); got.Status != 200 {
		t.Errorf("with the token in memory: %d %s", got.Status, got.Body)
	}
	platform.RevokeAll()
	began := time.Now()
	if got := get(t, a); got.Status != 200 {
		t.Errorf("without a store: %d %s", got.Status, got.Body)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	if !a.Stderr.Await("the store cannot be used") || strings.Count(a.Stderr.String(), "the store cannot be used") != 1 {
		t.Errorf("not told, or more than once: %s", a.Stderr)
	}
	if err := redis.StartAddr(address); err != nil {
		t.Fatal(err)
	}
	before := platform.Counts().TokenRequests
	platform.RevokeAll()
	authproxytest.Eventually(t, "the store to be used again", func() bool {
		for _, p := range []*authproxytest.Program{a, b} {
			if got := get(t, p); got.Status != 200 {
				t.Errorf("%d %s", got.Status, got.Body)
			}
		}
		return strings.Contains(a.Stderr.String(), "the store works again")
	})
	if got := platform.Counts().TokenRequests - before; got > 3 {
		t.Errorf("%d token requests for one revocation and a store that came back", got)
	}
}

// TestRequiredStore: without it there is no token, and the answer says so.
func TestRequiredStore(t *testing.T) {
	t.Parallel()
	_, config := killer(t)
	p := authproxytest.Start(t, onRedis("127.0.0.1:1", config, "required: true"))
	if a := get(t, p); a.Code() != "token_unavailable" || !strings.Contains(a.Body, "store.required") || !strings.Contains(a.Body, "store.redis.url") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if got := p.Series(t)[`authproxy_token_fetch_errors_total{reason="store",token="main"}`]; got == 0 {
		t.Error("it is not counted")
	}
}

// TestWrongSecretIsAskedOnce by all who share it.
func TestWrongSecretIsAskedOnce(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	platform := platformtest.NewWeDaPrivate(platformtest.Options{ClientID: "id", ClientSecret: "right"})
	config := authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, platform))
	for range 3 {
		p := authproxytest.Start(t, onRedis(redis.Addr(), config))
		if a := get(t, p); a.Code() != "token_unavailable" || !strings.Contains(a.Body, "client_secret") {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	if got := platform.Counts().TokenRequests; got != 1 {
		t.Errorf("%d token requests", got)
	}
}

// TestStoreFileOfOthers is refused at start, with the fix.
func TestStoreFileOfOthers(t *testing.T) {
	t.Parallel()
	_, config := killer(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "authproxy.yaml")
	own := filepath.Join(dir, "own")
	if err := os.Mkdir(own, 0o755); err != nil {
		t.Fatal(err)
	}
	authproxytest.Write(t, file, fmt.Sprintf("listen: 127.0.0.1:0\nadmin: { listen: '' }\nstore: { file: %q }\n%s", filepath.Join(own, "tokens"), config))
	for _, command := range [][]string{{"serve", "-c", file}, {"check", "-c", file}} {
		out, _ := exec.Command("authproxy", command...).CombinedOutput()
		if !strings.Contains(string(out), "chmod 0700 on it") || !strings.Contains(string(out), "store.file") {
			t.Errorf("%v: %s", command, out)
		}
	}
}

// TestCommandsShare: token uses the shared token and says so, does not take it from the
// others, and check tells of the store.
func TestCommandsShare(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	platform, config := killer(t)
	p := authproxytest.Start(t, onRedis(redis.Addr(), config))
	get(t, p)
	file := filepath.Join(t.TempDir(), "authproxy.yaml")
	authproxytest.Write(t, file, onRedis(redis.Addr(), config))
	run := func(args ...string) string {
		var out bytes.Buffer
		cmd := exec.Command("authproxy", args...)
		cmd.Stdout, cmd.Stderr = &out, &out
		_ = cmd.Run()
		return out.String()
	}
	if out := run("token", "-c", file, "main"); !strings.Contains(out, "from the store") {
		t.Error(out)
	}
	if out := run("check", "-c", file, "--live"); !strings.Contains(out, "store: works") || !strings.Contains(out, "the platform was not asked") {
		t.Error(out)
	}
	if got := platform.Counts().TokenRequests; got != 1 {
		t.Errorf("%d token requests", got)
	}
	redis.SetError("NOPERM no")
	if out := run("check", "-c", file, "--live"); !strings.Contains(out, "store: FAILED") || !strings.Contains(out, "ACL SETUSER") {
		t.Error(out)
	}
}

// TestDeployedReplicas runs what compose.redis.yaml describes, as far as that goes without
// an engine: its configuration, twice, with its secrets, before a Redis with a password.
func TestDeployedReplicas(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	redis.RequireAuth("the-password")
	platform := platformtest.NewWeDa(platformtest.Options{ClientID: "the-id", ClientSecret: "the-key"})
	url := authproxytest.Serve(t, platform)
	text, err := os.ReadFile("../../deploy/authproxy.redis.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, value := range map[string]string{"weda_id": "the-id", "weda_key": "the-key", "redis_url": "redis://:the-password@" + redis.Addr() + "/0"} {
		authproxytest.Write(t, filepath.Join(dir, name), value)
	}
	config := strings.NewReplacer("/run/secrets", dir, "env_id: lowcode-2gay8jgh25", fmt.Sprintf("base_url: %q", url), "name: weda", "name: main").Replace(string(text))
	file := filepath.Join(dir, "authproxy.yaml")
	authproxytest.Write(t, file, "listen: 127.0.0.1:0\nadmin: { listen: 127.0.0.1:0 }\n"+strings.Replace(config, "log: { format: json }", "", 1))
	for range 2 {
		p, err := authproxytest.Launch(exec.Command("authproxy", "serve", "-c", file))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Stop(t) })
		if a := authproxytest.Ask(t, http.MethodGet, p.URL+"/weda/odata/v1/prod/x", nil); a.Status != 200 || !strings.Contains(a.Body, "granted") {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	if got := platform.Counts().TokenRequests; got != 1 {
		t.Errorf("%d token requests", got)
	}
}

// TestStoreInTheSandbox: its folder and its address are all that the sandbox leaves it.
func TestStoreInTheSandbox(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is a sandbox on Linux only")
	}
	t.Parallel()
	redis := miniredis.RunT(t)
	folder := filepath.Join(t.TempDir(), "own")
	for name, store := range map[string]string{
		"file":    fmt.Sprintf("store: { file: %q, required: true }\n", filepath.Join(folder, "tokens")),
		"redis":   fmt.Sprintf("store: { required: true, redis: { url: %q } }\n", "redis://"+redis.Addr()),
		"cluster": fmt.Sprintf("store: { required: true, redis: { url: %q } }\n", "redis://"+redis.Addr()+"?addr="+redis.Addr()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, config := killer(t)
			p := authproxytest.Start(t, "sandbox: required\n"+store+config)
			if a := get(t, p); a.Status != 200 {
				t.Errorf("%d %s", a.Status, a.Body)
			}
			if strings.Contains(p.Stderr.String(), "the store cannot be used") {
				t.Error(p.Stderr)
			}
		})
	}
}

// TestRefreshTokensAreUsedOnce: over all processes; the device is the same for all, and a
// restart goes on with the stored refresh token instead of signing in.
func TestRefreshTokensAreUsedOnce(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	platform := platformtest.NewCloudBase(platformtest.Options{})
	config := onRedis(redis.Addr(), authproxytest.Dialects()["cloudbase-user"].Config(authproxytest.Serve(t, platform)))
	a, b := authproxytest.Start(t, config), authproxytest.Start(t, config)
	for round := range 4 {
		for _, p := range []*authproxytest.Program{a, b} {
			if got := get(t, p); got.Status != 200 {
				t.Errorf("round %d: %d %s", round, got.Status, got.Body)
			}
		}
		platform.RevokeAll()
	}
	c := authproxytest.Start(t, config)                   // the access token is dead, the refresh token is not
	for _, p := range []*authproxytest.Program{c, a, b} { // and all have the next one, before that dies
		if got := get(t, p); got.Status != 200 {
			t.Errorf("%d %s", got.Status, got.Body)
		}
	}
	counts := platform.Counts()
	if counts.SignIns != 1 || counts.Refreshes != 4 || counts.Devices != 1 {
		t.Errorf("%d sign-ins, %d refreshes, %d devices", counts.SignIns, counts.Refreshes, counts.Devices)
	}
	platform.RevokeAll()
	platform.RevokeRefreshTokens()
	for _, p := range []*authproxytest.Program{a, b, c} {
		if got := get(t, p); got.Status != 200 {
			t.Errorf("after the refresh token was revoked: %d %s\n%s", got.Status, got.Body, p.Stderr)
		}
	}
	if counts := platform.Counts(); counts.SignIns != 2 {
		t.Errorf("%d sign-ins", counts.SignIns)
	}
}

// TestRevokeOnExitLeavesSharedTokens to the others.
func TestRevokeOnExitLeavesSharedTokens(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	platform := platformtest.NewCloudBase(platformtest.Options{})
	config := onRedis(redis.Addr(), strings.Replace(authproxytest.Dialects()["cloudbase-user"].Config(authproxytest.Serve(t, platform)), "provider:", "revoke_on_exit: true, provider:", 1))
	a, b := authproxytest.Start(t, config), authproxytest.Start(t, config)
	get(t, a)
	get(t, b)
	a.Stop(t)
	if got := get(t, b); got.Status != 200 || platform.Counts().Revocations != 0 || platform.Counts().SignIns != 1 {
		t.Errorf("%d, %+v", got.Status, platform.Counts())
	}
	file := filepath.Join(t.TempDir(), "authproxy.yaml")
	authproxytest.Write(t, file, config)
	if out, err := exec.Command("authproxy", "token", "-c", file, "main", "--revoke").CombinedOutput(); err == nil || !strings.Contains(string(out), "taken from the others") {
		t.Errorf("%v %s", err, out)
	}
}
