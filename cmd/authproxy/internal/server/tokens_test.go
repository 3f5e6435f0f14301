package server

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/tokencache"
)

// tokenWith returns the token of a configuration with these keys, whose n'th
// request is answered by answer.
func tokenWith(t *testing.T, keys string, answer func(n int) string) *token {
	t.Helper()
	n := 0 // there is one request at a time
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n++
		_, _ = io.WriteString(w, answer(n))
	}))
	t.Cleanup(server.Close)
	text := fmt.Sprintf("tokens: { t: { token_url: %q, client_id: i, client_secret: s, %s } }\nupstreams: [ { name: u, token: t, url: 'https://api.example.com' } ]\n", server.URL, keys)
	cfg, err := config.Parse("keys.yaml", []byte(text), t.TempDir(), noEnv, vocabulary())
	if err != nil {
		t.Fatal(err)
	}
	return generationOf(t, cfg).tokens["t"]
}

func noEnv(string) (string, bool) { return "", false }

// generationOf returns what serves cfg, until the end of the test.
func generationOf(t *testing.T, cfg *config.Config) *generation {
	t.Helper()
	g, err := newServer(cfg, Options{Version: "test", Log: io.Discard}).newGeneration(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.close)
	return g
}

func living(seconds int) func(int) string {
	return func(n int) string { return fmt.Sprintf(`{"access_token":"t%d","expires_in":%d}`, n, seconds) }
}

// TestKeysOfALife: what the file says of a token's life is what its cache does.
func TestKeysOfALife(t *testing.T) {
	nameless := func(int) string { return `{"access_token":"x"}` }
	for keys, c := range map[string]struct {
		answer     func(int) string
		life       time.Duration
		from, upto time.Duration // renewed ahead of the expiry
	}{
		"default_ttl: 1h":                        {nameless, time.Hour, time.Minute, 90 * time.Second},
		"default_ttl: 7m":                        {nameless, 7 * time.Minute, 42 * time.Second, 63 * time.Second},
		"expiry_buffer: 60s":                     {living(3600), time.Hour, time.Minute, 90 * time.Second},
		"expiry_buffer: 100s":                    {living(3600), time.Hour, 100 * time.Second, 150 * time.Second},
		"expiry_buffer: 5m":                      {living(300), 5 * time.Minute, 30 * time.Second, 45 * time.Second},
		"reissue: same, expiry_buffer: 5m":       {living(300), 5 * time.Minute, 0, 0},
		"reissue: new, min_refresh_interval: 1h": {living(3600), time.Hour, time.Minute, 90 * time.Second},
	} {
		tok := tokenWith(t, keys, c.answer)
		if _, err := tok.cache.Token(t.Context()); err != nil {
			t.Errorf("%s: %v", keys, err)
			continue
		}
		s := tok.cache.State()
		if life, ahead := s.Expiry.Sub(s.Issued), s.Expiry.Sub(s.Renewal); life != c.life || ahead < c.from || ahead > c.upto {
			t.Errorf("%s: lives for %v, renewed %v before its end", keys, life, ahead)
		}
	}
}

// TestMinRefreshInterval: eight refusals of new tokens take a quarter of a
// second with a millisecond, and four minutes with the second of the default.
func TestMinRefreshInterval(t *testing.T) {
	tok := tokenWith(t, "min_refresh_interval: 1ms", living(3600))
	deadline := time.Now().Add(time.Minute)
	for replaced := 0; replaced < 9; {
		held, err := tok.cache.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		switch _, err := tok.cache.Replace(t.Context(), held.Value); {
		case err == nil:
			replaced++
		case !errors.Is(err, tokencache.ErrTooSoon):
			t.Fatal(err)
		case time.Now().After(deadline):
			t.Fatalf("replaced %d times", replaced)
		default:
			time.Sleep(time.Millisecond)
		}
	}
}

// TestOldTokenThatDies is not handed out while the next one is on its way.
func TestOldTokenThatDies(t *testing.T) {
	renewing, release := make(chan struct{}), make(chan struct{})
	tok := tokenWith(t, "old_token: dies", func(n int) string {
		if n == 2 {
			close(renewing)
			<-release
		}
		return living(1)(n)
	})
	if _, err := tok.cache.Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-renewing // it is in use, so its renewal comes by itself, while it lives
	got := make(chan string, 1)
	go func() {
		held, err := tok.cache.Token(t.Context())
		got <- fmt.Sprint(held.Value, err)
	}()
	for tok.cache.State().Waiters == 0 && len(got) == 0 {
		time.Sleep(time.Millisecond)
	}
	close(release)
	if text := <-got; text != "t2<nil>" {
		t.Errorf("handed out: %s", text)
	}
}

func TestTimeoutOfATokenRequest(t *testing.T) {
	release := make(chan struct{})
	tok := tokenWith(t, "timeout: 50ms", func(int) string { <-release; return "" })
	defer close(release)
	began := time.Now()
	if _, err := tok.cache.Token(t.Context()); !errors.Is(err, tokencache.ErrWaited) {
		t.Error(err)
	}
	if took := time.Since(began); took > 8*time.Second { // 10 s is the default
		t.Errorf("waited for %v", took)
	}
}
