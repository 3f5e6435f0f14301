package sandbox

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary the program confined too.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"confined": confined})
}

func TestConfines(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"secrets/..data/id", "secrets/..data/key", "run/x"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("value"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("..data/id", filepath.Join(dir, "secrets/id")); err != nil {
		t.Fatal(err)
	}
	urls := func(all ...string) (parsed []*url.URL) {
		for _, one := range all {
			u, err := url.Parse(one)
			if err != nil {
				t.Fatal(err)
			}
			parsed = append(parsed, u)
		}
		return append(parsed, nil)
	}
	c := Needs{
		Files:   []string{filepath.Join(dir, "secrets/id"), ""},
		Sockets: []string{filepath.Join(dir, "run/authproxy.sock")},
		URLs:    urls("https://id.example/token", "http://proxy.example:3128", "http://127.0.0.1:8085/x", "https://api.example", "socks5://user:p@socks.example"),
	}.confines()
	if want := []uint16{53, 443, 1080, 3128, 8085}; !slices.Equal(c.ports, want) {
		t.Errorf("ports %v, want %v", c.ports, want)
	}
	real, err := filepath.EvalSymlinks(filepath.Join(dir, "secrets/..data"))
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{filepath.Join(dir, "secrets"), real} {
		if !slices.Contains(c.folders, folder) {
			t.Errorf("%s is not among %v", folder, c.folders)
		}
	}
	if want := []string{filepath.Join(dir, "run")}; !slices.Equal(c.sockets, want) {
		t.Errorf("sockets in %v, want %v", c.sockets, want)
	}
}

// attempts is what the program confined does: it gives up all but the confines
// and then tries the files and addresses.
type attempts struct {
	Folders, Files, Sockets, Addresses []string
	Ports                              []uint16
}

// confined is a program of its own, for a sandbox cannot be left again.
func confined() {
	var a attempts
	if err := json.NewDecoder(os.Stdin).Decode(&a); err != nil {
		panic(err)
	}
	if err := confine(true, confines{folders: a.Folders, sockets: a.Sockets, ports: a.Ports}); err != nil {
		fmt.Println("confine:", err)
		return
	}
	for _, file := range a.Files {
		_, err := os.ReadFile(file)
		fmt.Println(file, err == nil)
	}
	for _, address := range a.Addresses {
		c, err := net.Dial("tcp", address)
		fmt.Println(address, err == nil)
		if err == nil {
			_ = c.Close()
		}
	}
	_, err := os.Create(filepath.Join(a.Folders[0], "new"))
	fmt.Println("create", err == nil)
	_, err = os.Create(filepath.Join(a.Sockets[0], "new"))
	fmt.Println("create beside a socket", err == nil)
	_, err = os.ReadFile(filepath.Join(a.Sockets[0], "f"))
	fmt.Println("read beside a socket", err == nil)
	fmt.Println("remove a socket", os.Remove(filepath.Join(a.Sockets[0], "f")) == nil)
	fmt.Println("execute", exec.Command(filepath.Join(a.Folders[0], "x")).Run() == nil)
	status, _ := os.ReadFile("/proc/self/status") // not among the confines
	fmt.Println("status", len(status) > 0)
}

func TestSandbox(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is a sandbox on Linux only")
	}
	open, shut, sockets := t.TempDir(), t.TempDir(), t.TempDir()
	for _, dir := range []string{open, shut, sockets} {
		if err := os.WriteFile(filepath.Join(dir, "f"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(open, "x"), []byte("#!/bin/true\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	var addresses []string
	var ports []uint16
	for range 2 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addresses = append(addresses, l.Addr().String())
		ports = append(ports, uint16(l.Addr().(*net.TCPAddr).Port))
	}
	in, err := json.Marshal(attempts{
		Folders: []string{open}, Files: []string{filepath.Join(open, "f"), filepath.Join(shut, "f")},
		Sockets: []string{sockets}, Ports: ports[:1], Addresses: addresses,
	})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("confined")
	cmd.Stdin, cmd.Stderr = strings.NewReader(string(in)), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(string(out), "confine:") {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no sandbox on this kernel: %s", out)
		}
		t.Skipf("no sandbox on this kernel: %s", out)
	}
	want := fmt.Sprintf("%s true\n%s false\n%s true\n%s false\ncreate false\ncreate beside a socket false\nread beside a socket false\nremove a socket true\nexecute false\nstatus false\n",
		filepath.Join(open, "f"), filepath.Join(shut, "f"), addresses[0], addresses[1])
	if string(out) != want {
		t.Errorf("confined:\n%swant:\n%s", out, want)
	}
}
