package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"authproxy/bench/internal/loadgen"
	"authproxy/bench/internal/peers"
)

// workload is one kind of request.
type workload struct {
	name  string // in flags
	title string // in tables
	path  string
	body  int // bytes of JSON
	least int // bytes of the answer
}

var workloads = []workload{
	{"get", "small GET", "small", 0, 90},
	{"post1k", "POST of 1 KiB", "post", 1 << 10, 20},
	{"post16k", "POST of 16 KiB", "post", 16 << 10, 20},
	{"download", "download of 1 MiB", "large", 0, peers.LargeSize},
	{"upload", "upload of 1 MiB", "post", 1 << 20, 20},
}

func caseNames() string {
	var names []string
	for _, w := range workloads {
		names = append(names, w.name)
	}
	return strings.Join(names, ",")
}

// request is w for a program at base; authorization is for the upstream itself.
func (w workload) request(base, authorization string) loadgen.Request {
	return loadgen.Request{URL: base + w.path, Authorization: authorization, Body: document(w.body)}
}

// document returns a JSON document of so many bytes, none for 0.
func document(size int) []byte {
	const head, tail = `{"data":"`, `"}`
	if size == 0 {
		return nil
	}
	return []byte(head + strings.Repeat("x", size-len(head)-len(tail)) + tail)
}

// check sends w once and looks at the answer, which the load generator does not.
func (w workload) check(r loadgen.Request) error {
	method := http.MethodGet
	var body io.Reader
	if r.Body != nil {
		method, body = http.MethodPost, strings.NewReader(string(r.Body))
	}
	req, err := http.NewRequest(method, r.URL, body)
	if err != nil {
		return err
	}
	if r.Authorization != "" {
		req.Header.Set("Authorization", r.Authorization)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: anyServer(), DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || len(answer) < w.least {
		return fmt.Errorf("answered %s with %d bytes: %.200s", resp.Status, len(answer), answer)
	}
	return nil
}
