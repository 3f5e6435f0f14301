package main

import (
	"crypto/sha256"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"

	"github.com/fsnotify/fsnotify"

	"authproxy/cmd/authproxy/internal/config"
)

// secretWatch tells the caches when their secret files have changed. The
// files are read at every token request anyway; the watch ends the pause after
// refused credentials.
type secretWatch struct {
	watcher *fsnotify.Watcher
	log     *slog.Logger
	tokens  map[string]*token
	sums    map[string][sha256.Size]byte // by token name
	done    chan struct{}
}

// watchSecrets watches the folders of all secret files: an editor, and
// Kubernetes with its ..data link, replace a file by renaming. Without secret
// files, or where watching is impossible, there is no watch.
func watchSecrets(a *app) *secretWatch {
	w := &secretWatch{log: a.log, tokens: a.tokens, sums: map[string][sha256.Size]byte{}, done: make(chan struct{})}
	folders := map[string]bool{}
	for name, t := range a.tokens {
		for _, secret := range t.cfg.Credentials {
			if secret.File() != "" {
				folders[filepath.Dir(secret.File())] = true
			}
		}
		w.sums[name] = sum(t.cfg.Credentials)
	}
	if len(folders) == 0 {
		return nil
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		a.log.Warn("secret files are not watched; new ones are used with the next token request", "error", err)
		return nil
	}
	w.watcher = watcher
	for folder := range folders {
		if err := watcher.Add(folder); err != nil {
			a.log.Warn("secret files are not watched; new ones are used with the next token request", "folder", folder, "error", err)
		}
	}
	go w.run()
	return w
}

func (w *secretWatch) run() {
	defer close(w.done)
	for {
		select {
		case _, ok := <-w.watcher.Events:
			if !ok {
				return
			}
			w.compare()
		case err, ok := <-w.watcher.Errors:
			if !ok {
				return
			}
			w.log.Warn("watching secret files", "error", err)
			w.compare()
		}
	}
}

func (w *secretWatch) compare() {
	for name, t := range w.tokens {
		if now := sum(t.cfg.Credentials); now != w.sums[name] {
			w.sums[name] = now
			t.cache.CredentialsChanged()
			w.log.Info("credentials changed", "token", name)
		}
	}
}

func (w *secretWatch) close() {
	if w != nil {
		_ = w.watcher.Close()
		<-w.done
	}
}

// sum returns a hash over the credentials as they are now.
func sum(secrets map[string]config.Secret) [sha256.Size]byte {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(secrets)) {
		value, err := secrets[name].Read()
		one := sha256.Sum256([]byte(value))
		h.Write(one[:])
		if err != nil {
			h.Write([]byte("!"))
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}
