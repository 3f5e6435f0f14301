// Package follow notices when files are exchanged while the program runs:
// secrets, the token of callers, certificates. There is one rule for all.
//
// A set of files is looked at shortly after something has happened in their
// folders, every few seconds without that, and when its owner asks. When the
// content of one of them is another than at the last look, or another fault
// keeps it from being read, the owner is told, and reads what it needs. What to
// do about a fault is the owner's to say: as a rule what was read before goes on
// counting.
package follow

import (
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long to wait after an event: a file is seldom exchanged in
	// one step, and a folder may be busy with others.
	settle = 50 * time.Millisecond
	// lookAgain is how often files are looked at without an event: one that is
	// mounted changes without, and a sandbox keeps new folders from being watched.
	lookAgain = 5 * time.Second
)

// Follower follows sets of files, from [Follower.Start] until it is closed. The
// sets are added before that.
type Follower struct {
	log    *slog.Logger
	events *fsnotify.Watcher // nil where there are none
	stop   chan struct{}
	once   sync.Once

	sets []*Set
}

// New returns a follower of nothing. Without events of the file system, of
// which log is told, changes are seen a few seconds later.
func New(log *slog.Logger) *Follower {
	f := &Follower{log: log, stop: make(chan struct{})}
	events, err := fsnotify.NewWatcher()
	if err != nil {
		log.Debug("no events of files", "error", err)
	}
	f.events = events
	return f
}

// Add has files followed: changed is called, one call at a time, when what they
// hold is another than at Add. An owner who reads them between Add and Start so
// misses nothing.
func (f *Follower) Add(files []string, changed func()) *Set {
	s := &Set{files: files, news: make(chan struct{}, 1), looking: make(chan struct{}, 1)}
	s.changed = func() {
		f.watch(files) // a folder may be another one
		changed()
	}
	f.watch(files)
	s.sum, s.looked = sum(files), time.Now() // after the watch has begun, so that no change falls between
	f.sets = append(f.sets, s)
	return s
}

// watch asks for the events of the folders of files, rather than of the files:
// an editor, and Kubernetes with its ..data link, replace a file by renaming.
func (f *Follower) watch(files []string) {
	if f.events == nil {
		return
	}
	for _, file := range files {
		for _, folder := range folders(file) {
			if err := f.events.Add(folder); err != nil && !errors.Is(err, fsnotify.ErrClosed) {
				f.log.Debug("no events of files", "folder", folder, "error", err)
			}
		}
	}
}

// Start begins to tell of changes, also of those since Add.
func (f *Follower) Start() {
	for _, s := range f.sets {
		go s.run(f.stop)
	}
	f.announce()
	go f.run()
}

// Close ends the following. It does not wait for a look that may hang in a file
// system.
func (f *Follower) Close() {
	f.once.Do(func() {
		close(f.stop)
		if f.events != nil {
			_ = f.events.Close()
		}
	})
}

func (f *Follower) run() {
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	var happened <-chan fsnotify.Event
	var failed <-chan error
	if f.events != nil {
		happened, failed = f.events.Events, f.events.Errors
	}
	var settled <-chan time.Time
	for {
		select {
		case <-f.stop:
			return
		case <-happened:
			if settled == nil {
				settled = time.After(settle)
			}
			continue
		case err := <-failed:
			f.log.Debug("events of files", "error", err)
		case <-settled:
			settled = nil
		case <-again.C:
		}
		f.announce()
	}
}

// announce has every set looked at.
func (f *Follower) announce() {
	for _, s := range f.sets {
		select {
		case s.news <- struct{}{}:
		default: // it is about to look
		}
	}
}

// Set is some files with one owner.
type Set struct {
	files   []string
	changed func()
	news    chan struct{} // a look is due; cap 1

	looking chan struct{} // holds one during the one look at a time; guards the rest
	sum     [sha256.Size]byte
	looked  time.Time // when the latest look began
}

// run looks by itself, so that a file system that hangs delays no other set.
func (s *Set) run(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-s.news:
			s.Look(0)
		}
	}
}

// patience is how long a look is waited for that hangs in a file system.
const patience = time.Second

// Look looks at the files, unless a look has begun since it was called; those with
// an age above zero begin no more often than that. A change is told of before it
// returns; but where a file system hangs it returns after a second, and the look
// goes on.
func (s *Set) Look(age time.Duration) {
	called, limit := time.Now(), time.NewTimer(patience)
	defer limit.Stop()
	select {
	case s.looking <- struct{}{}:
	case <-limit.C:
		return
	}
	if s.looked.After(called) {
		<-s.looking
		return
	}
	time.Sleep(min(age, patience) - time.Since(s.looked))
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { <-s.looking }()
		s.compare()
	}()
	select {
	case <-done:
	case <-limit.C:
	}
}

func (s *Set) compare() {
	s.looked = time.Now()
	now := sum(s.files)
	if now != s.sum {
		s.sum = now
		s.changed()
	}
}

// maxFile bounds what is read of a file, in bytes; those that are followed are
// far smaller.
const maxFile = 4 << 20

// sum returns a hash over what the files hold, or why they cannot be read.
func sum(files []string) [sha256.Size]byte {
	whole := sha256.New()
	for _, file := range files {
		one := sha256.New()
		if err := readInto(one, file); err != nil {
			one.Write([]byte(err.Error())) // another fault is news as well
		}
		whole.Write(one.Sum(nil))
	}
	return [sha256.Size]byte(whole.Sum(nil))
}

func readInto(w io.Writer, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close() // nothing was written
	_, err = io.Copy(w, io.LimitReader(f, maxFile))
	return err
}

// Hint says what may be behind an error of reading a file that is followed.
func Hint(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return "check its mode; if its folder was exchanged as a whole, restart: the sandbox holds on to the folder that it saw at the start"
	}
	return "check the file; its content is read again when it changes"
}
