// Package filestore keeps what processes of one machine share in a file. It is written
// aside and renamed, under a lock, so that whoever reads it, and whoever is killed while it
// is written, finds it whole. On systems without flock(2) or LockFileEx it fails.
package filestore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/gofrs/flock"

	"authproxy/tokencache/shared"
)

// Store is a [shared.Store] in one file.
type Store struct{ path string }

var _ shared.Store = (*Store)(nil)

// maxFile is how large a file is read, in bytes.
const maxFile = 4 << 20

// retry is how often a lock that somebody else holds is asked for.
const retry = 20 * time.Millisecond

// Open returns the store in the file at path. Its folder is made, with mode 0700, where it
// is missing; what exists must belong to this user, and must not be open to others. The
// error says what to do.
func Open(path string) (*Store, error) {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("the folder of the store cannot be made: %w: let uid %d make it, or choose another", err, os.Getuid())
	}
	for _, place := range []struct {
		path string
		mode string
	}{{folder, "0700"}, {path, "0600"}} {
		if err := own(place.path, place.mode); err != nil {
			return nil, err
		}
	}
	probe, err := os.CreateTemp(folder, ".probe-")
	if err != nil {
		return nil, fmt.Errorf("the folder of the store cannot be written into: %w: let uid %d write there, or choose another", err, os.Getuid())
	}
	_ = probe.Close()
	_ = os.Remove(probe.Name())
	return &Store{path}, nil
}

// own says why what stands at path must not be used; nil when nothing is there.
func own(path, mode string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("the store: %w", err)
	case runtime.GOOS == "windows": // modes say nothing there
		return nil
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s has mode %04o, and must be open to its owner alone: run chmod %s on it", path, info.Mode().Perm(), mode)
	}
	return ownedByUs(path, info)
}

// entry is one value of the file.
type entry struct {
	Value   []byte `json:"value"`
	Expires int64  `json:"expires"` // Unix time in milliseconds
}

// read returns what stands in the file. What cannot be read as a whole counts as nothing.
func (s *Store) read() (map[string]entry, error) {
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() > maxFile {
		return map[string]entry{}, nil
	}
	data, err := os.ReadFile(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return map[string]entry{}, nil
	case err != nil:
		return nil, err
	}
	return parse(data), nil
}

// parse reads the content of a file; of one that is not whole it returns nothing.
func parse(data []byte) map[string]entry {
	all := map[string]entry{}
	if json.Unmarshal(data, &all) != nil || all == nil {
		return map[string]entry{}
	}
	return all
}

// Load implements [shared.Store].
func (s *Store) Load(_ context.Context, key string) ([]byte, error) {
	all, err := s.read()
	if err != nil {
		return nil, err
	}
	e, ok := all[key]
	if !ok || time.Now().UnixMilli() >= e.Expires {
		return nil, shared.ErrNotFound
	}
	return e.Value, nil
}

// Save implements [shared.Store].
func (s *Store) Save(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	lock := flock.New(s.path+".lock", flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, retry); err != nil {
		return err
	}
	defer lock.Unlock()
	all, err := s.read()
	if err != nil {
		return err
	}
	now := time.Now()
	for other, e := range all {
		if now.UnixMilli() >= e.Expires {
			delete(all, other)
		}
	}
	all[key] = entry{value, now.Add(ttl).UnixMilli()}
	return s.write(all)
}

// write puts a new file in the place of the old one.
func (s *Store) write(all map[string]entry) (err error) {
	data, err := json.Marshal(all)
	if err != nil {
		return err
	}
	aside, err := os.CreateTemp(filepath.Dir(s.path), filepath.Base(s.path)+".new-") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = aside.Close()
			_ = os.Remove(aside.Name())
		}
	}()
	if _, err = aside.Write(data); err != nil {
		return err
	}
	if err = aside.Sync(); err != nil {
		return err
	}
	if err = aside.Close(); err != nil {
		return err
	}
	return os.Rename(aside.Name(), s.path)
}

// Lock implements [shared.Store]. The lock ends with its process.
func (s *Store) Lock(ctx context.Context, key string) (unlock func(), err error) {
	sum := sha256.Sum256([]byte(key))
	lock := flock.New(s.path+"."+hex.EncodeToString(sum[:4])+".lock", flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, retry); err != nil {
		return nil, err
	}
	return func() { _ = lock.Unlock() }, nil
}
