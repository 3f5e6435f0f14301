package redisstore

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"authproxy/tokencache/shared"
	"authproxy/tokencache/storetest"
)

func mustOpen(t *testing.T, o Options) *Store {
	t.Helper()
	o.Prefix = "authproxy:"
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Second
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestEmbedded needs nothing on the machine. Its clock stands still, so that time is let
// pass for what expires.
func TestEmbedded(t *testing.T) {
	server := miniredis.RunT(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		for tick := time.NewTicker(10 * time.Millisecond); ctx.Err() == nil; <-tick.C {
			server.FastForward(10 * time.Millisecond)
		}
	}()
	storetest.Run(t, func(t *testing.T) shared.Store { return mustOpen(t, Options{URL: "redis://" + server.Addr()}) })
	for _, key := range server.Keys() {
		if !strings.HasPrefix(key, "authproxy:") {
			t.Errorf("the key %s is not ours", key)
		}
	}
}

func TestURLs(t *testing.T) {
	for url, good := range map[string]bool{
		"redis://127.0.0.1:1": true, "rediss://u:p@h:1/2": true, "unix:///run/redis.sock": true,
		"redis://h:1?master_name=m&addr=h:2": true, "redis://h:1?addr=h:2&addr=h:3": true,
		"": false, "h:1": false, "http://h:1": false, "redis://u:s3cr3t@h:port": false, "redis://h:1?colour=s3cr3t": false,
	} {
		s, err := New(Options{URL: url, Timeout: time.Second})
		if (err == nil) != good || err != nil && strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v", url, err)
		}
		if err == nil {
			_ = s.Close()
		}
	}
}

// TestTroubleIsTold: each kind, with what to do.
func TestTroubleIsTold(t *testing.T) {
	server := miniredis.RunT(t)
	for text, want := range map[string]string{
		"WRONGPASS invalid username-password pair or user is disabled.":                    "check user and password",
		"NOAUTH Authentication required.":                                                  "check user and password",
		"NOPERM this user has no permissions to run the 'set' command":                     "ACL SETUSER NAME ~authproxy:*",
		"READONLY You can't write against a read only replica.":                            "it is a replica",
		"OOM command not allowed when used memory > 'maxmemory'.":                          "it is full",
		"LOADING Redis is loading the dataset in memory":                                   "wait",
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.": "wait",
	} {
		server.SetError(text)
		if err := mustOpen(t, Options{URL: "redis://" + server.Addr()}).Ping(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	server.SetError("")
	if err := mustOpen(t, Options{URL: "redis://" + server.Addr()}).Ping(t.Context()); err != nil {
		t.Error(err)
	}
	address := server.Addr()
	server.Close()
	if err := mustOpen(t, Options{URL: "redis://" + address}).Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "check host and port") {
		t.Errorf("%v", err)
	}
}

// TestLockOfTheDead: a lock whose owner does not renew it ends.
func TestLockOfTheDead(t *testing.T) {
	server := miniredis.RunT(t)
	dead, alive := mustOpen(t, Options{URL: "redis://" + server.Addr()}), mustOpen(t, Options{URL: "redis://" + server.Addr()})
	if _, err := dead.Lock(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	_ = dead.Close()
	server.FastForward(lockLife + time.Second)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	unlock, err := alive.Lock(ctx, "k")
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}
