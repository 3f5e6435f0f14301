package main_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// replaceFile exchanges a file by renaming, as editors do.
func replaceFile(t *testing.T, file, text string) {
	t.Helper()
	authproxytest.Write(t, file+".new", text)
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

// kubernetes is a folder of secrets as a kubelet keeps it: links to files in
// ..data, which itself is a link to a folder that is exchanged as a whole.
type kubernetes struct{ dir, generation string }

func (k *kubernetes) set(t *testing.T, name, text string) {
	t.Helper()
	k.generation += "."
	folder := filepath.Join(k.dir, "..gen"+k.generation)
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	authproxytest.Write(t, filepath.Join(folder, name), text)
	link := filepath.Join(k.dir, "..data_tmp")
	if err := os.Symlink(filepath.Base(folder), link); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(link, filepath.Join(k.dir, "..data")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(k.dir, name)); err == nil {
		return
	}
	if err := os.Symlink(filepath.Join("..data", name), filepath.Join(k.dir, name)); err != nil {
		t.Fatal(err)
	}
}

func TestWrongCredentialsAreNotHammered(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cluster := &kubernetes{dir: t.TempDir()}
	for name, set := range map[string]struct {
		file string
		to   func(string)
	}{
		"a file that is replaced": {filepath.Join(dir, "secret"), func(text string) { replaceFile(t, filepath.Join(dir, "secret"), text) }},
		"a file that is written":  {filepath.Join(dir, "written"), func(text string) { authproxytest.Write(t, filepath.Join(dir, "written"), text) }},
		"a volume of Kubernetes":  {filepath.Join(cluster.dir, "secret"), func(text string) { cluster.set(t, "secret", text) }},
	} {
		t.Run(name, func(t *testing.T) {
			set.to("wrong\n")
			platform := platformtest.NewWeDaPrivate(platformtest.Options{})
			config := authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, platform))
			p := authproxytest.Start(t, strings.Replace(config, `client_secret: "secret"`, "client_secret_file: "+strconv.Quote(set.file), 1))
			for range 30 {
				a := p.Get(t)
				if after, _ := strconv.Atoi(a.Header.Get("Retry-After")); a.Status != 503 || a.Code() != "token_unavailable" || after > 600 {
					t.Errorf("%d %v", a.Status, a.Header)
				}
			}
			if after, _ := strconv.Atoi(p.Get(t).Header.Get("Retry-After")); after < 20 || after > 60 {
				t.Errorf("Retry-After %d, want about 30", after)
			}
			if got := platform.Counts(); got.TokenRequests != 1 || got.APIRequests != 0 {
				t.Errorf("%+v", got)
			}
			began := time.Now()
			set.to("secret\n")
			authproxytest.Eventually(t, "a good answer", func() bool { return p.Get(t).Status == http.StatusOK })
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("the new secret was used after %v", took)
			}
			if got := platform.Counts(); got.WrongCredentials != 1 || got.Issued != 1 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestWrongPasswordsLeadToNoCaptcha: the platform locks after five in a row.
func TestWrongPasswordsLeadToNoCaptcha(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewCloudBase(platformtest.Options{Password: "other"})
	p := authproxytest.Start(t, authproxytest.Dialects()["cloudbase-user"].Config(authproxytest.Serve(t, platform)))
	for range 20 {
		if a := p.Get(t); a.Code() != "token_unavailable" || strings.Contains(a.Body, "captcha") {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	if got := platform.Counts(); got.SignIns != 1 {
		t.Errorf("%+v", got)
	}
}

func TestATokenEndpointThatIsNotThere(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewOAuth2(platformtest.Options{})
	config := strings.Replace(authproxytest.Dialects()["oauth2"].Config(authproxytest.Serve(t, platform)), "token_url: ", "token_url: "+strconv.Quote(authproxytest.Nobody)+", params: {} } } #", 1)
	config = strings.Replace(config, "params: {} } } #", "client_id: id, client_secret: secret } } #", 1)
	p := authproxytest.Start(t, config)
	for range 10 {
		if a := p.Get(t); a.Status != 503 || a.Code() != "token_unavailable" || a.Header.Get("Retry-After") == "" {
			t.Errorf("%d %v %s", a.Status, a.Header, a.Body)
		}
	}
	if got := platform.Counts().APIRequests; got != 0 {
		t.Errorf("%d requests without a token", got)
	}
}

// TestAPlatformThatRefusesEverything is not asked for a token by each request.
func TestAPlatformThatRefusesEverything(t *testing.T) {
	t.Parallel()
	platform, p := weda(t, platformtest.Options{}, "")
	platform.SetAPIFault(&platformtest.Fault{Status: 401, Body: "{}"})
	began := time.Now()
	var group sync.WaitGroup
	for range 200 {
		group.Go(func() {
			if a := p.Get(t); a.Status != 401 {
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	group.Wait()
	// The first, one at once, and then one after 1 s, 2 s, 4 s ...
	if got, most := platform.Counts().TokenRequests, 2+int(time.Since(began)/time.Second); got > most {
		t.Errorf("%d token requests, at most %d are due", got, most)
	}
}

// TestACallerThatLeavesSpoilsNothing: the flight that it began goes on, and
// serves those that come after.
func TestACallerThatLeavesSpoilsNothing(t *testing.T) {
	t.Parallel()
	platform := platformtest.NewWeDaPrivate(platformtest.Options{})
	asked, release := make(chan struct{}), make(chan struct{})
	p := authproxytest.Start(t, authproxytest.Dialects()["weda-private"].Config(authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == platform.TokenPath() {
			close(asked) // a second time would panic
			<-release
		}
		platform.ServeHTTP(w, r)
	}))))
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+authproxytest.APIPath, nil)
		_, err := authproxytest.Client.Do(req)
		left <- err
	}()
	<-asked
	leave()
	if err := <-left; err == nil {
		t.Error("an answer without a token")
	}
	authproxytest.Eventually(t, "the caller to be gone", func() bool { return p.Series(t)[`authproxy_token_waiters{token="main"}`] == 0 })
	go close(release)
	p.Good(t)
	if got := platform.Counts(); got.TokenRequests != 1 || got.APIRequests != 1 {
		t.Errorf("%+v", got)
	}
}

// TestAbsurdLifetimes never lead to a loop of token requests.
func TestAbsurdLifetimes(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`"7200"`, "null", "-1", "0", "1e300", `"soon"`, "{}", "0.001", "99999999999999999999", platformtest.OmitExpiresIn} {
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			platform, p := weda(t, platformtest.Options{}, "")
			platform.SetExpiresIn(raw)
			for range 30 {
				p.Good(t)
			}
			if got := platform.Counts(); got.TokenRequests > 2 {
				t.Errorf("%+v", got)
			}
			if got := p.Series(t)[`authproxy_token_expiry_timestamp_seconds{token="main"}`]; got > float64(time.Now().Add(31*24*time.Hour).Unix()) {
				t.Errorf("kept until %v", got)
			}
		})
	}
}
