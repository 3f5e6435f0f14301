package peers

import (
	"bytes"
	"os"
	"path/filepath"

	"authproxy/bench/internal/proc"
)

// LargeSize is the size of the upstream's /large in bytes.
const LargeSize = 1 << 20

// StartUpstream runs an nginx with one worker that answers /small, /large,
// /post (whose body it reads to the end) and /token, whose token lives so many
// seconds, and sets where the programs find it. Without the token the first
// three answer 401.
func (s *Scene) StartUpstream(lifetime int) (*proc.Process, error) {
	f, err := s.fresh("upstream", HTTP)
	if err != nil {
		return nil, err
	}
	f.Lifetime = lifetime
	s.Upstream = map[Link]string{}
	for link, at := range map[Link]*string{HTTP: &f.HTTP, HTTPS: &f.HTTPS, H2: &f.H2} {
		if *at, err = proc.FreeAddress(); err != nil {
			return nil, err
		}
		s.Upstream[link] = *at
	}
	s.TokenURL = "http://" + f.HTTP + "/token"
	if err := certificates(s.CA(), f.Dir); err != nil {
		return nil, err
	}
	www := filepath.Join(f.Dir, "www")
	if err := os.Mkdir(www, 0o700); err != nil {
		return nil, err
	}
	large := bytes.Repeat([]byte("0123456789abcdef"), LargeSize/16)
	if err := os.WriteFile(filepath.Join(www, "large"), large, 0o600); err != nil {
		return nil, err
	}
	config, err := f.write("upstream.conf")
	if err != nil {
		return nil, err
	}
	return proc.RunAt(s.Log, f.HTTP, "nginx", "-e", "stderr", "-c", config)
}
