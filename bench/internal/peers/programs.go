package peers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"authproxy/bench/internal/proc"
)

// Program is one that is measured.
type Program struct {
	// Name is how it is called in flags and tables.
	Name string
	// Extra programs are measured only when they are named.
	Extra bool
	// Version says which it is.
	Version func(*Scene) string
	// Lacks says why it cannot be measured here, or over this link; "" when it can.
	Lacks func(*Scene, Link) string
	// Start runs it; its address is the process's URL.
	Start func(*Scene, Link) (*proc.Process, error)
}

// All are the programs that are measured. nginx as a proxy sets a fixed token,
// as HAProxy, Caddy and bare do; nginx-lua and authproxy fetch theirs.
func All() []Program {
	return []Program{
		{Name: "nginx", Version: says("nginx", "-v"), Lacks: noH2("nginx"), Start: startNginx},
		{Name: "nginx-lua", Version: says("nginx", "-v"), Lacks: lacksLua, Start: startLua},
		{Name: "haproxy", Version: says("haproxy", "-v"), Lacks: installed("haproxy"), Start: startHAProxy},
		{Name: "caddy", Version: says("caddy", "version"), Lacks: installed("caddy"), Start: startCaddy},
		{Name: "bare", Version: goVersion, Lacks: nothing, Start: startBare()},
		{Name: "bare-pooled", Version: goVersion, Lacks: nothing, Start: startBare("-pooled")},
		{Name: "authproxy", Version: ourVersion(""), Lacks: nothing, Start: startOurs("")},
		{Name: "authproxy-body", Extra: true, Version: ourVersion(""), Lacks: nothing,
			Start: startOurs("", "invalid_token: { status: [401], body: { code: [INVALID_ACCESS_TOKEN] } }")},
		{Name: "authproxy-std", Extra: true, Version: ourVersion(""), Lacks: nothing, Start: startOurs("", "transport: std")},
		{Name: "authproxy-before", Extra: true, Version: ourVersion("-before"), Lacks: lacksBefore, Start: startOurs("-before")},
	}
}

func nothing(*Scene, Link) string { return "" }

func installed(program string) func(*Scene, Link) string {
	return func(*Scene, Link) string {
		if _, err := exec.LookPath(program); err != nil {
			return "not installed"
		}
		return ""
	}
}

func noH2(program string) func(*Scene, Link) string {
	return func(s *Scene, link Link) string {
		if link == H2 {
			return "no HTTP/2 to upstreams (nginx has it from 1.29 on)"
		}
		return installed(program)(s, link)
	}
}

func lacksLua(s *Scene, link Link) string {
	if reason := noH2("nginx")(s, link); reason != "" {
		return reason
	}
	if _, err := os.Stat(filepath.Join(s.modules(), "ngx_http_lua_module.so")); err != nil {
		return "the Lua module is not installed"
	}
	return ""
}

func lacksBefore(s *Scene, _ Link) string {
	if s.Built["authproxy-before"] == "" {
		return "-before names no program"
	}
	return ""
}

var modulesPath = regexp.MustCompile(`--modules-path=(\S+)`)

// modules is where this nginx keeps its modules; it is asked once.
func (s *Scene) modules() string {
	if s.nginxModules != "" {
		return s.nginxModules
	}
	s.nginxModules = "/usr/lib/nginx/modules"
	out, _ := exec.Command("nginx", "-V").CombinedOutput()
	if m := modulesPath.FindSubmatch(out); m != nil {
		s.nginxModules = string(m[1])
	}
	return s.nginxModules
}

func says(program string, args ...string) func(*Scene) string {
	return func(*Scene) string { return strings.TrimPrefix(proc.Version(program, args...), program+" version: ") }
}

func goVersion(*Scene) string { return "httputil.ReverseProxy, " + proc.Version("go", "version") }

func ourVersion(suffix string) func(*Scene) string {
	return func(s *Scene) string {
		path, err := s.ours(suffix)
		if err != nil {
			return err.Error()
		}
		return proc.Version(path, "version")
	}
}

func startNginx(s *Scene, link Link) (*proc.Process, error) { return runNginx(s, link, false) }

func startLua(s *Scene, link Link) (*proc.Process, error) { return runNginx(s, link, true) }

func runNginx(s *Scene, link Link, lua bool) (*proc.Process, error) {
	f, err := s.fresh("nginx", link)
	if err != nil {
		return nil, err
	}
	if f.Lua = lua; lua {
		f.Modules = s.modules()
		if _, err := f.write("token.lua"); err != nil {
			return nil, err
		}
	}
	config, err := f.write("nginx.conf")
	if err != nil {
		return nil, err
	}
	return proc.RunAt(s.Log, f.Listen, "nginx", "-e", "stderr", "-c", config)
}

func startHAProxy(s *Scene, link Link) (*proc.Process, error) {
	return runAt(s, link, "haproxy.cfg", "haproxy", "-db", "-f")
}

func startCaddy(s *Scene, link Link) (*proc.Process, error) {
	return runAt(s, link, "Caddyfile", "env", "HOME="+s.Dir, "XDG_DATA_HOME="+s.Dir, "XDG_CONFIG_HOME="+s.Dir,
		"caddy", "run", "--adapter", "caddyfile", "--config")
}

// runAt runs a program with a configuration whose file is its last argument.
func runAt(s *Scene, link Link, config, program string, args ...string) (*proc.Process, error) {
	f, err := s.fresh(program, link)
	if err != nil {
		return nil, err
	}
	file, err := f.write(config)
	if err != nil {
		return nil, err
	}
	return proc.RunAt(s.Log, f.Listen, program, append(args, file)...)
}

func startBare(more ...string) func(*Scene, Link) (*proc.Process, error) {
	return func(s *Scene, link Link) (*proc.Process, error) {
		path, err := s.Build("bare", func() (string, error) { return proc.Build(s.Dir, "./bench/bare") })
		if err != nil {
			return nil, err
		}
		args := append([]string{"-target", s.URL(link), fmt.Sprint("-http2=", link == H2)}, more...)
		if link != HTTP {
			args = append(args, "-ca", s.CA())
		}
		return proc.Run(s.Log, path, args...)
	}
}

func (s *Scene) ours(suffix string) (string, error) {
	return s.Build("authproxy"+suffix, func() (string, error) { return proc.Build(s.Dir, "./cmd/authproxy") })
}

func startOurs(suffix string, lines ...string) func(*Scene, Link) (*proc.Process, error) {
	return func(s *Scene, link Link) (*proc.Process, error) {
		p, _, err := runOurs(s, link, suffix, false, lines)
		return p, err
	}
}

// StartProfiled runs authproxy, whose profiles can be had at the second address.
func StartProfiled(s *Scene, link Link) (p *proc.Process, admin string, err error) {
	return runOurs(s, link, "", true, nil)
}

func runOurs(s *Scene, link Link, suffix string, profiled bool, lines []string) (p *proc.Process, admin string, err error) {
	path, err := s.ours(suffix)
	if err != nil {
		return nil, "", err
	}
	f, err := s.fresh("authproxy", link)
	if err != nil {
		return nil, "", err
	}
	f.Lines, f.Profiled = lines, profiled
	config, err := f.write("authproxy.yaml")
	if err != nil {
		return nil, "", err
	}
	p, err = proc.Run(s.Log, path, "serve", "-c", config)
	return p, f.Admin, err
}
