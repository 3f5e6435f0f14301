package main

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"

	"authproxy/cmd/authproxy/internal/config"
)

// secretWatch tells the caches when their secret files have changed. The
// files are read at every token request anyway; the watch ends the pause after
// refused credentials.
type secretWatch struct {
	watcher *fsnotify.Watcher     // nil where there are no events
	events  <-chan fsnotify.Event // of watcher
	errors  <-chan error          // of watcher
	log     *slog.Logger
	tokens  map[string]*token
	sums    map[string][sha256.Size]byte // by token name
	stop    chan struct{}
}

// lookAgain is how often the files are compared without an event: a link may
// have come to lead elsewhere, and a mounted file changes without one.
const lookAgain = 5 * time.Second

// watchSecrets watches the folders of all secret files: an editor, and
// Kubernetes with its ..data link, replace a file by renaming. Without secret
// files there is no watch.
func watchSecrets(a *app) *secretWatch {
	w := &secretWatch{log: a.log, tokens: a.tokens, sums: map[string][sha256.Size]byte{}, stop: make(chan struct{})}
	folders := map[string]bool{}
	for _, t := range a.tokens {
		for _, secret := range t.cfg.Credentials {
			if secret.File() != "" {
				folders[filepath.Dir(secret.File())] = true
			}
		}
	}
	if len(folders) == 0 {
		return nil
	}
	w.watch(folders)
	for name, t := range a.tokens { // after the watch has begun, so that no change falls between
		w.sums[name] = sum(t.cfg.Credentials)
	}
	go w.run()
	return w
}

// watch asks for events in the folders. Without them changes are seen a few
// seconds later.
func (w *secretWatch) watch(folders map[string]bool) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		w.log.Debug("no events of secret files", "error", err)
		return
	}
	for folder := range folders {
		if err := watcher.Add(folder); err != nil {
			w.log.Debug("no events of secret files", "folder", folder, "error", err)
		}
	}
	w.watcher, w.events, w.errors = watcher, watcher.Events, watcher.Errors
}

func (w *secretWatch) run() {
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		select {
		case <-w.stop:
			return
		case <-w.events:
		case err := <-w.errors:
			w.log.Debug("events of secret files", "error", err)
		case <-again.C:
		}
		w.compare()
	}
}

func (w *secretWatch) compare() {
	for name, t := range w.tokens {
		if now := sum(t.cfg.Credentials); now != w.sums[name] {
			w.sums[name] = now
			t.cache.CredentialsChanged()
			if _, err := readCredentials(t.cfg.Credentials); err != nil {
				w.log.Warn("the credentials cannot be read; a token that is held serves until it expires", "token", name, "error", err, "hint", hint(err))
				continue
			}
			w.log.Info("credentials changed", "token", name)
		}
	}
}

// hint says what may be behind an error of reading a secret.
func hint(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "check its mode; if its folder was exchanged as a whole, restart: the sandbox holds on to the folder that it saw at the start"
	}
	return "check the file; its content is read again when it changes"
}

// close ends the watch. It does not wait for a look that may hang in a file
// system.
func (w *secretWatch) close() {
	if w == nil {
		return
	}
	close(w.stop)
	if w.watcher != nil {
		_ = w.watcher.Close()
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
			h.Write([]byte(err.Error())) // another fault is news as well
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}
