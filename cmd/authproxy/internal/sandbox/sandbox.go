// Package sandbox gives up, for the rest of the process's life, what the program
// does not need once its listeners are open and its configuration is read.
package sandbox

import (
	"net/url"
	"path/filepath"
	"slices"
	"strconv"

	"authproxy/cmd/authproxy/internal/follow"
)

// Needs is what the program goes on needing.
type Needs struct {
	// Files are read, again when others have taken their place: secrets and
	// certificates. Empty paths do not count.
	Files []string
	// Sockets are the paths of the unix sockets that are listened on, and
	// removed at the end.
	Sockets []string
	// URLs are connected to, by scheme and port: http, https, socks5, socks5h.
	// nil ones do not count.
	URLs []*url.URL
	// Folders are read and written in. Empty ones do not count.
	Folders []string
	// AnyPort: which ports are connected to shows only later.
	AnyPort bool
}

// Confine gives up everything but what n says, and with it the gaining of
// privileges (PR_SET_NO_NEW_PRIVS). required fails where the system cannot do
// all of it; there is a sandbox on Linux only.
func Confine(required bool, n Needs) error { return confine(required, n.confines()) }

// confines are Needs in the words of the kernel; a sandbox takes everything
// else away.
type confines struct {
	folders []string // to read in
	files   []string // to read
	sockets []string // folders of the unix sockets, to be removed from at the end
	ports   []uint16 // to connect to, by TCP
	anyPort bool     // to any
	write   []string // folders to read and write in
	roots   bool     // the system's certificates, which are some megabytes, are needed
}

// confines derives the confines. Folders of secrets and certificates are
// readable as a whole, because files in them are replaced by renaming; so is
// /etc, for the sake of resolv.conf. A build with cgo may look names up with the
// modules of the C library.
func (n Needs) confines() confines {
	c := confines{
		folders: []string{"/etc", "/lib", "/lib64", "/proc/self", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo"},
		files:   []string{"/proc/stat", "/dev/null"},
		ports:   []uint16{53},
	}
	if real, err := filepath.EvalSymlinks("/etc/resolv.conf"); err == nil {
		c.folders = append(c.folders, filepath.Dir(real))
	}
	for _, file := range n.Files {
		c.read(file)
	}
	for _, path := range n.Sockets {
		c.sockets = append(c.sockets, filepath.Dir(path))
	}
	for _, folder := range n.Folders {
		if folder != "" {
			c.write = append(c.write, folder)
		}
	}
	c.anyPort = n.AnyPort
	c.connect(n.URLs)
	for _, list := range []*[]string{&c.folders, &c.files, &c.sockets} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	slices.Sort(c.ports)
	c.ports = slices.Compact(c.ports)
	return c
}

// read adds the folder of a file, in which another may take its place. Each
// link on the way there may come to lead elsewhere: to a neighbour of what it
// leads to now. Kubernetes exchanges secrets so, and others /run/secrets as a
// whole.
func (c *confines) read(file string) {
	if file == "" {
		return
	}
	c.around(file)
	for _, link := range follow.Links(file) {
		if filepath.Dir(link.Target) != "/" { // /var/run leads to /run on most systems, and stays
			c.around(link.Target)
		}
	}
	if real, err := filepath.EvalSymlinks(file); err == nil {
		c.around(real)
	}
}

// around adds the folder that path is in; but not the root, which would be
// everything: then path alone.
func (c *confines) around(path string) {
	if folder := filepath.Dir(path); folder != "/" {
		c.folders = append(c.folders, folder)
		return
	}
	c.files = append(c.files, path)
}

// connect adds the ports of URLs.
func (c *confines) connect(urls []*url.URL) {
	defaults := map[string]uint16{"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
	for _, u := range urls {
		if u == nil {
			continue
		}
		c.roots = c.roots || u.Scheme == "https"
		port := defaults[u.Scheme]
		if n, err := strconv.ParseUint(u.Port(), 10, 16); err == nil {
			port = uint16(n)
		}
		if port != 0 {
			c.ports = append(c.ports, port)
		}
	}
}
