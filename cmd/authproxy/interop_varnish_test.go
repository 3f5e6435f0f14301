package main_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"authproxy/cmd/authproxy/authproxytest"
)

// TestVarnishtest runs the scripts of testdata/varnish: a server and a client
// of varnishtest, with the program between them and nothing of Varnish.
//
// A script finds the address of the proxy in ${proxy}, and has its server
// listen at ${up}. A line "# upstream: KEY: VALUE" is put into the
// configuration. Lines that begin with "#s1|" or "#c1|" are the heads that the
// server or the client gets, byte for byte, and what the script reads with
// "recv 1"; UP stands for the server's address, and "Date: *" for any date.
func TestVarnishtest(t *testing.T) {
	t.Parallel()
	installed(t, "varnishtest") // Debian's package varnish has it
	files, err := filepath.Glob(filepath.Join("testdata", "varnish", "*.vtc"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var scripts []*vtc
	is := newIssuer(t)
	tokens, upstreams := "tokens:\n", "upstreams:\n"
	for i, file := range files {
		s := readVTC(t, file, i)
		scripts = append(scripts, s)
		tokens += is.token(s.name)
		upstreams += fmt.Sprintf("  - { name: %s, token: %s, url: \"http://%s\", listen: 127.0.0.1:0%s }\n", s.name, s.name, s.up, s.more)
	}
	p := authproxytest.Start(t, tokens+upstreams)
	for _, s := range scripts {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t, strings.TrimPrefix(p.Places[s.name], "http://"))
		})
	}
}

// vtc is a script of varnishtest.
type vtc struct {
	file, name string
	up         string // where its server listens
	more       string // of the configuration of its upstream
	text       string
}

var moreOfVTC = regexp.MustCompile(`(?m)^# upstream: (.*)$`)

func readVTC(t *testing.T, file string, i int) *vtc {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s := &vtc{file: file, text: string(text), up: ownAddress(t, i)}
	s.name = strings.ReplaceAll(strings.TrimSuffix(filepath.Base(file), ".vtc"), "-", "_")
	for _, m := range moreOfVTC.FindAllStringSubmatch(s.text, -1) {
		s.more += ", " + m[1]
	}
	return s
}

// ownAddress returns an address that nobody else listens at. Linux routes all
// of 127.0.0.0/8 to itself and gives 127.0.0.1 to whoever asks for any port.
func ownAddress(t *testing.T, i int) string {
	t.Helper()
	pid := os.Getpid()
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 1+pid>>8%250, pid%256, 1+i%250))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *vtc) run(t *testing.T, proxy string) {
	cmd := exec.CommandContext(t.Context(), "varnishtest", "-v", "-t", "30", "-b", "16M", "-D", "up="+s.up, "-D", "proxy="+proxy, s.file)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, who := range []string{"s1", "c1"} {
		want := strings.ReplaceAll(s.wanted(who), "UP", s.up)
		if want == "" {
			continue
		}
		if got := heads(string(out), who); strings.TrimSuffix(got, "\n") != strings.TrimSuffix(want, "\n") {
			t.Errorf("%s got\n%s\nwant\n%s", who, got, want)
		}
	}
}

// wanted returns the heads that the script wants who to get.
func (s *vtc) wanted(who string) string {
	var all strings.Builder
	for line := range strings.Lines(s.text) {
		if head, ok := strings.CutPrefix(line, "#"+who+"|"); ok {
			all.WriteString(strings.TrimPrefix(head, " "))
		}
	}
	return all.String()
}

var date = regexp.MustCompile(`(?m)^Date: .+$`)

// heads returns what who got, from the log of varnishtest: the heads, and what
// the script read with "recv 1", of which a line feed leaves an empty line.
func heads(log, who string) string {
	var all strings.Builder
	for line := range strings.Lines(log) {
		fields := strings.SplitN(line, "|", 2)
		if len(fields) != 2 {
			continue
		}
		text := strings.Replace(fields[1], `\r`, "", 1)
		switch strings.Join(strings.Fields(fields[0]), " ") {
		case "**** " + who + " rxhdr":
			all.WriteString(text)
		case "**** " + who + " recv":
			if fields[1] != "\n" {
				text = strings.TrimSuffix(text, "\n")
			}
			all.WriteString(text)
		}
	}
	return date.ReplaceAllString(all.String(), "Date: *")
}
