// Package peers runs, on loopback and out of one folder, an nginx as the
// upstream and the programs that are measured before it.
package peers

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"text/template"

	"authproxy/bench/internal/proc"
)

// Link is how a program reaches the upstream.
type Link string

// The links. H2 is HTTP/2 over TLS.
const (
	HTTP  Link = "http"
	HTTPS Link = "https"
	H2    Link = "h2"
)

func (l Link) scheme() string {
	if l == HTTP {
		return "http"
	}
	return "https"
}

// Scene is what the programs of a run share.
type Scene struct {
	// Dir holds their configurations, certificates and temporary files.
	Dir string
	// Log takes what they write.
	Log io.Writer
	// Workers is how many threads or processes each may use at once.
	Workers int
	// Token is the token that the upstream accepts.
	Token string
	// TokenURL is where it is asked for.
	TokenURL string
	// Upstream has the upstream's host:port for each link.
	Upstream map[Link]string
	// Built has the programs of this project, by name; see [Scene.Build].
	Built map[string]string

	nginxModules string
}

// NewScene makes a scene in dir. Go programs that it starts see workers as
// GOMAXPROCS when it is not the number of cores.
func NewScene(dir string, log io.Writer, workers int) (*Scene, error) {
	s := &Scene{Dir: dir, Log: log, Workers: workers, Token: strings.Repeat("x", tokenLength)}
	if workers == runtime.NumCPU() {
		return s, nil
	}
	return s, os.Setenv("GOMAXPROCS", strconv.Itoa(workers))
}

// tokenLength in bytes: tokens of real platforms, JWTs mostly, are about as long.
const tokenLength = 800

//go:embed conf
var conf embed.FS

// fill is what the templates in conf may name.
type fill struct {
	*Scene
	Dir                             string // of this program alone
	Root, Lua, TLS                  bool
	HTTP, HTTPS, H2                 string
	Lifetime                        int
	Listen, Admin                   string
	Address, Scheme                 string
	Link                            Link
	CA, Modules                     string
	TokenHost, TokenPort, TokenPath string
	Lines                           []string // of authproxy's upstream
	Profiled                        bool     // authproxy hands out its profiles
}

// fresh makes a folder for one program and what its configuration names.
func (s *Scene) fresh(name string, link Link) (*fill, error) {
	dir, err := os.MkdirTemp(s.Dir, name)
	if err != nil {
		return nil, err
	}
	f := &fill{Scene: s, Dir: dir, Root: os.Getuid() == 0, TLS: link != HTTP, Link: link,
		Address: s.Upstream[link], Scheme: link.scheme(), CA: s.CA()}
	if s.TokenURL != "" {
		u, err := url.Parse(s.TokenURL)
		if err != nil {
			return nil, err
		}
		f.TokenHost, f.TokenPort, f.TokenPath = u.Hostname(), u.Port(), u.Path
	}
	if f.Listen, err = proc.FreeAddress(); err != nil {
		return nil, err
	}
	f.Admin, err = proc.FreeAddress()
	return f, err
}

// write fills a template of conf into the program's folder.
func (f *fill) write(name string) (path string, err error) {
	t, err := template.ParseFS(conf, "conf/"+name)
	if err != nil {
		return "", err
	}
	var text bytes.Buffer
	if err := t.Execute(&text, f); err != nil {
		return "", err
	}
	path = filepath.Join(f.Dir, name)
	return path, os.WriteFile(path, text.Bytes(), 0o600)
}

// CA is the file with the authority that signed the upstream's certificate.
func (s *Scene) CA() string { return filepath.Join(s.Dir, "ca.pem") }

// Build builds a program of this project once and returns its file.
func (s *Scene) Build(name string, build func() (string, error)) (string, error) {
	if path := s.Built[name]; path != "" {
		return path, nil
	}
	path, err := build()
	if err != nil {
		return "", err
	}
	if s.Built == nil {
		s.Built = map[string]string{}
	}
	s.Built[name] = path
	return path, nil
}

// URL is the upstream's address by a link.
func (s *Scene) URL(link Link) string {
	return fmt.Sprintf("%s://%s/", link.scheme(), s.Upstream[link])
}
