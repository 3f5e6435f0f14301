package main_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
)

// languageServer is the server of YAML that editors talk to, by the Language Server Protocol on its standard
// streams.
type languageServer struct {
	t    *testing.T
	in   io.Writer
	out  *bufio.Reader
	last int
	told map[string][]diagnostic // by document
}

type diagnostic struct {
	Message string
	Range   struct{ Start position }
}

type position struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

// newLanguageServer starts the version that package-lock.json pins.
func newLanguageServer(t *testing.T) *languageServer {
	t.Helper()
	installed(t, "node", "npm")
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(filepath.Join("testdata/editor", name))
		if err != nil {
			t.Fatal(err)
		}
		authproxytest.Write(t, filepath.Join(dir, name), string(text))
	}
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	install.Dir = dir
	if said, err := install.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("npm ci: %v\n%s", err, said)
		}
		t.Skipf("npm ci: %v: the language server cannot be had", err)
	}
	cmd := exec.Command("node", filepath.Join(dir, "node_modules/yaml-language-server/bin/yaml-language-server"), "--stdio")
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
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	s := &languageServer{t: t, in: in, out: bufio.NewReader(out), told: map[string][]diagnostic{}}
	s.ask("initialize", map[string]any{"processId": nil, "rootUri": nil, "capabilities": map[string]any{}}, nil)
	s.say("initialized", map[string]any{})
	return s
}

// say sends a notification.
func (s *languageServer) say(method string, params any) {
	s.send(map[string]any{"jsonrpc": "2.0", "method": method, "params": params})
}

func (s *languageServer) send(message any) {
	s.t.Helper()
	text, err := json.Marshal(message)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := fmt.Fprintf(s.in, "Content-Length: %d\r\n\r\n%s", len(text), text); err != nil {
		s.t.Fatal(err)
	}
}

// ask sends a request and waits for its answer.
func (s *languageServer) ask(method string, params, result any) {
	s.t.Helper()
	s.last++
	s.send(map[string]any{"jsonrpc": "2.0", "id": s.last, "method": method, "params": params})
	for {
		if m := s.next(); m.Method == "" && string(m.ID) == strconv.Itoa(s.last) {
			if result != nil {
				if err := json.Unmarshal(m.Result, result); err != nil {
					s.t.Fatalf("%s: %v in %s", method, err, m.Result)
				}
			}
			return
		}
	}
}

// message is what the server says.
type message struct {
	ID     json.RawMessage
	Method string
	Result json.RawMessage
	Params struct {
		URI         string
		Diagnostics []diagnostic
	}
}

// next is the next message; what it says of documents is noted, and what it asks for it does not get.
func (s *languageServer) next() message {
	s.t.Helper()
	head, err := textproto.NewReader(s.out).ReadMIMEHeader()
	if err != nil {
		s.t.Fatal(err)
	}
	length, err := strconv.Atoi(head.Get("Content-Length"))
	if err != nil {
		s.t.Fatal(err)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(s.out, text); err != nil {
		s.t.Fatal(err)
	}
	var m message
	_ = json.Unmarshal(text, &m) // of some messages, the params are others
	switch {
	case m.Method == "textDocument/publishDiagnostics":
		s.told[m.Params.URI] = append([]diagnostic{}, m.Params.Diagnostics...)
	case m.Method != "" && len(m.ID) > 0:
		s.send(map[string]any{"jsonrpc": "2.0", "id": m.ID, "result": nil})
	}
	return m
}

// open shows a document to the server and returns what it finds wrong there, as "LINE: MESSAGE".
func (s *languageServer) open(path, text string) (faults []string) {
	s.t.Helper()
	uri := "file://" + path
	s.say("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": uri, "languageId": "yaml", "version": 1, "text": text}})
	for s.told[uri] == nil {
		s.next()
	}
	for _, d := range s.told[uri] {
		faults = append(faults, fmt.Sprintf("%d: %s", d.Range.Start.Line+1, d.Message))
	}
	return faults
}

// hover is what the server says where word stands in the document.
func (s *languageServer) hover(path, text, word string) string {
	s.t.Helper()
	before, _, found := strings.Cut(text, word)
	if !found {
		s.t.Fatalf("no %s", word)
	}
	line := strings.Count(before, "\n")
	var got struct{ Contents struct{ Value string } }
	s.ask("textDocument/hover", map[string]any{
		"textDocument": map[string]any{"uri": "file://" + path},
		"position":     position{line, len(before) - strings.LastIndex(before, "\n")},
	}, &got)
	return got.Contents.Value
}

// TestEditor: an editor finds the schema by the first line of the example, has nothing to say against it,
// shows what a key means, and marks what is wrong.
func TestEditor(t *testing.T) {
	t.Parallel()
	s := newLanguageServer(t)
	example, err := filepath.Abs("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	if faults := s.open(example, string(text)); len(faults) > 0 {
		t.Errorf("the example: %q", faults)
	}
	for word, want := range map[string]string{
		"expiry_buffer:":                "renew this long before expiry",
		"env_id: lowcode-2gay8jgh25  #": "param of the preset weda",
		"listen_tls:":                   "speak TLS",
		"strip_path:":                   "prefix",
	} {
		if said := s.hover(example, string(text), word); !strings.Contains(said, want) {
			t.Errorf("%s %q", word, said)
		}
	}
	first, _, _ := strings.Cut(string(text), "\n")
	faulty := filepath.Join(filepath.Dir(example), "faulty.yaml") // which is not there: the server has its text
	got := s.open(faulty, first+"\ntokens:\n  a: { provider: wedaa, timeout: 10, client_idd: x }\nupstreams:\n  - { name: a, token: a, retry: { enabled: perhaps } }\nlisen: 127.0.0.1:1\n")
	for _, want := range []string{"3: ", "5: ", "6: Property lisen is not allowed."} {
		if !slices.ContainsFunc(got, func(one string) bool { return strings.HasPrefix(one, want) }) {
			t.Errorf("no %q in %q", want, got)
		}
	}
}
