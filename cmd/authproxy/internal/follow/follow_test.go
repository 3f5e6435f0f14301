//go:build unix

package follow

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// atMost bounds every wait of a test that fails.
const atMost = 20 * time.Second

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// replace puts a file in the place of another, as an editor does.
func replace(t *testing.T, file, text string) {
	t.Helper()
	write(t, file+".new", text)
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

func newFollower(t *testing.T) *Follower {
	t.Helper()
	f := New(slog.New(slog.DiscardHandler))
	t.Cleanup(f.Close)
	return f
}

// told returns an owner's function, and the channel that it tells of changes.
func told() (changed func(), news chan struct{}) {
	news = make(chan struct{}, 100)
	return func() { news <- struct{}{} }, news
}

func await(t *testing.T, news <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-news:
	case <-time.After(atMost):
		t.Fatalf("not told of %s", what)
	}
}

// TestEveryKindOfChangeIsTold: of one file of several, however it comes about.
func TestEveryKindOfChangeIsTold(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	write(t, one, "1")
	write(t, two, "1")
	changed, news := told()
	f := newFollower(t)
	f.Add([]string{one, two}, changed)
	write(t, one, "1.5")
	f.Start()
	await(t, news, "what came between")
	for _, step := range []struct {
		what string
		do   func()
	}{
		{"a file that was written", func() { write(t, one, "2") }},
		{"a file that was replaced", func() { replace(t, two, "2") }},
		{"a file that is gone", func() { _ = os.Remove(one) }},
		{"a file that is back", func() { write(t, one, "3") }},
	} {
		step.do()
		await(t, news, step.what)
	}
}

// TestOnlyChangesAreTold: neither a file that was written with what it held,
// nor one beside it, is news.
func TestOnlyChangesAreTold(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	write(t, file, "1")
	changed, news := told()
	f := newFollower(t)
	s := f.Add([]string{file}, changed)
	f.Start()
	replace(t, file, "1")
	write(t, filepath.Join(dir, "other"), "2")
	s.Look(0)
	if len(news) > 0 {
		t.Error("told of no change")
	}
}

// TestOwnersAsk: a look tells before it returns, and does not begin within the age.
func TestOwnersAsk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "1")
	held := ""
	f := newFollower(t)
	s := f.Add([]string{file}, func() {
		text, _ := os.ReadFile(file)
		held = string(text)
	})
	for _, c := range []struct {
		text string
		age  time.Duration
	}{{"2", 0}, {"3", 30 * time.Millisecond}, {"4", 30 * time.Millisecond}, {"5", time.Nanosecond}} {
		replace(t, file, c.text)
		before := s.looked
		if s.Look(c.age); held != c.text || s.looked.Sub(before) < c.age {
			t.Errorf("%s, looked at %v after the last time instead of %v: held %q", c.text, s.looked.Sub(before), c.age, held)
		}
	}
}

// hangs waits until somebody reads from the pipe, and has them wait until the
// file is closed.
func hangs(t *testing.T, pipe string) *os.File {
	t.Helper()
	for deadline := time.Now().Add(atMost); ; time.Sleep(time.Millisecond) {
		f, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0) // fails as long as nobody reads
		if err == nil {
			return f
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody reads: ", err)
		}
	}
}

// TestAFileThatHangsDelaysNoOther: a pipe that nobody writes to is a file
// system that hangs.
func TestAFileThatHangsDelaysNoOther(t *testing.T) {
	dir := t.TempDir()
	hanging, file := filepath.Join(dir, "hanging"), filepath.Join(dir, "file")
	write(t, hanging, "1")
	write(t, file, "1")
	f := newFollower(t)
	stuck := f.Add([]string{hanging}, func() {})
	changed, news := told()
	f.Add([]string{file}, changed)
	f.Start()
	if err := os.Remove(hanging); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(hanging, 0o600); err != nil {
		t.Skip(err)
	}
	defer hangs(t, hanging).Close()
	replace(t, file, "2")
	await(t, news, "the file beside it")
	returned := make(chan struct{})
	go func() {
		defer close(returned)
		stuck.Look(0) // is another owner's request, say
	}()
	await(t, returned, "the end of a look that hangs")
}

// TestLinksThatComeToLeadElsewhere: Kubernetes exchanges a folder so.
func TestLinksThatComeToLeadElsewhere(t *testing.T) {
	dir := t.TempDir()
	for _, generation := range []string{"..1", "..2"} {
		if err := os.Mkdir(filepath.Join(dir, generation), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, generation, "key"), generation)
	}
	link := func(to, at string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, "new")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, at)); err != nil {
			t.Fatal(err)
		}
	}
	link("..1", "..data")
	link("..data/key", "key")
	changed, news := told()
	f := newFollower(t)
	f.Add([]string{filepath.Join(dir, "key")}, changed)
	f.Start()
	link("..2", "..data")
	await(t, news, "the other folder")
}

// TestFoldersOfLinks: each link on the way can come to lead elsewhere.
func TestFoldersOfLinks(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(path string) string { return filepath.Join(dir, path) }
	if err := os.MkdirAll(at("generations/1/app"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, at("generations/1/app/key"), "1")
	if err := os.Symlink("generations/1", at("current")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(at("current/app/key"), at("key")); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string][]string{
		"generations/1/app/key": {"generations/1/app", "generations/1/app"},
		"current/app/key":       {"current/app", "", "generations/1/app"},
		"key":                   {"", "", "", "generations/1/app"},
		"none/key":              {"none"},
	} {
		got := folders(at(file))
		for i := range got {
			got[i] = strings.TrimPrefix(strings.TrimPrefix(got[i], dir), "/")
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
}
