package main_test

import (
	"bufio"
	"encoding/xml"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
)

// listening starts a program that prints the address at which it listens and
// ends with its standard input.
func listening(t *testing.T, program string) (address string) {
	t.Helper()
	cmd := exec.Command(program, "server")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", program, err)
		}
	})
	address, err = bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}

const recovered = `authproxy_retries_total{outcome="recovered",trigger="status",upstream="main"}`

// TestGRPCInterop runs the cases of the gRPC project's interoperability tests,
// each twice: its server refuses the first token in an answer of headers only.
func TestGRPCInterop(t *testing.T) {
	t.Parallel()
	program := interopProgram(t, "grpc")
	server := listening(t, program)
	// The first two give up before an answer to the first try need be there; of
	// a service that it does not have the server asks no token.
	unrefused := []string{"timeout_on_sleeping_server", "cancel_after_begin", "unimplemented_service"}
	for _, name := range strings.Fields(run(t, program, "cases")) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := authproxytest.Start(t, newIssuer(t).config("http://"+server, "protocol: h2c", `invalid_token: { status: [], header: { Grpc-Status: ["16"] } }`))
			before := levelOf(t, p)
			for range 2 {
				run(t, program, "client", strings.TrimPrefix(p.URL, "http://"), name)
			}
			settles(t, p, before)
			if n := p.Series(t)[strings.Replace(recovered, "status", "header", 1)]; n != 1 && !slices.Contains(unrefused, name) {
				t.Errorf("%v requests were sent again", n)
			}
		})
	}
}

// TestWebSocketInterop runs an independent WebSocket library against itself.
// The server refuses the handshake with the first token.
func TestWebSocketInterop(t *testing.T) {
	t.Parallel()
	program := interopProgram(t, "websocket")
	server := listening(t, program)
	for _, name := range strings.Fields(run(t, program, "cases")) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := authproxytest.Start(t, newIssuer(t).config("http://"+server, "max_idle_conns: 2"))
			before := levelOf(t, p)
			run(t, program, "client", strings.Replace(p.URL, "http:", "ws:", 1)+"/echo?x=%zz", name)
			settles(t, p, before)
			if n := p.Series(t)[recovered]; n < 1 {
				t.Error("the handshake was not sent again")
			}
		})
	}
}

// TestH2Spec: on the listener's HTTP/2 in clear text h2spec finds no fault
// that it does not also find with a bare server of Go.
func TestH2Spec(t *testing.T) {
	t.Parallel()
	program := interopProgram(t, "h2spec")
	answers := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) })
	bare := httptest.NewUnstartedServer(answers)
	bare.Config.ErrorLog = log.New(io.Discard, "", 0)
	bare.Config.Protocols = new(http.Protocols)
	bare.Config.Protocols.SetHTTP1(true)
	bare.Config.Protocols.SetUnencryptedHTTP2(true)
	bare.Start()
	t.Cleanup(bare.Close)
	p, _ := proxied(t, answers)

	reference := make(chan map[string]bool)
	go func() { reference <- h2spec(t, program, bare.URL) }()
	failed := h2spec(t, program, p.URL)
	known := <-reference
	t.Logf("faults: %q, of a bare server: %q", slices.Sorted(maps.Keys(failed)), slices.Sorted(maps.Keys(known)))
	maps.DeleteFunc(failed, func(name string, _ bool) bool { return known[name] })
	if len(failed) == 0 {
		return
	}
	again := h2spec(t, program, p.URL) // some of its cases hang on the time
	for name := range failed {
		if again[name] {
			t.Errorf("failed twice: %s", name)
		}
	}
}

// h2spec returns the cases that fail with the server at address.
func h2spec(t *testing.T, program, address string) map[string]bool {
	u, err := url.Parse(address)
	if err != nil {
		t.Error(err)
		return nil
	}
	host, port, _ := net.SplitHostPort(u.Host)
	report := filepath.Join(t.TempDir(), "report.xml")
	// The exit code only repeats what the report says.
	out, _ := exec.CommandContext(t.Context(), program, "-h", host, "-p", port, "-j", report, "--strict").CombinedOutput()
	text, err := os.ReadFile(report)
	if err != nil {
		t.Errorf("%v\n%s", err, out)
		return nil
	}
	var doc struct {
		Suites []struct {
			Package string `xml:"package,attr"`
			Cases   []struct {
				Name    string    `xml:"classname,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(text, &doc); err != nil {
		t.Error(err)
	}
	failed, cases := map[string]bool{}, 0
	for _, suite := range doc.Suites {
		for _, c := range suite.Cases {
			cases++
			if c.Failure != nil || c.Error != nil {
				failed[suite.Package+": "+c.Name] = true
			}
		}
	}
	if cases < 140 {
		t.Errorf("only %d cases: %s", cases, out)
	}
	return failed
}
