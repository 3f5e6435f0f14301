package main_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"authproxy/cmd/authproxy/authproxytest"
	"authproxy/proxy/platformtest"
)

// secured starts a program whose callers speak TLS to localhost; more is added to
// listen_tls and to the configuration.
func secured(t *testing.T, ca *authority, upstream, tlsMore, more string) *authproxytest.Program {
	t.Helper()
	platform := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	if upstream == "" {
		upstream = platform
	}
	ca.issue("localhost")
	return authproxytest.Start(t, fmt.Sprintf("listen_tls: { cert_file: %q, key_file: %q%s }\n%s%s",
		ca.file("localhost"), ca.file("localhost-key"), tlsMore, more, authproxytest.OAuth2(platform, upstream)))
}

// trusting returns a client that trusts the authority and shows the certificates.
func (a *authority) trusting(h2 bool, show ...tls.Certificate) *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!h2)
	protocols.SetHTTP2(h2)
	transport := &http.Transport{Protocols: protocols, TLSClientConfig: &tls.Config{RootCAs: a.pool, Certificates: show}}
	a.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, CheckRedirect: authproxytest.Client.CheckRedirect}
}

// ask sends a GET by client to the localhost of the program.
func ask(t *testing.T, p *authproxytest.Program, client *http.Client, path string, header ...string) authproxytest.Answer {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, local(p)+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	a, err := authproxytest.Do(client, req)
	if err != nil {
		t.Errorf("%s: %v", path, err)
	}
	return a
}

// local is the address of the program by the name that its certificate has.
func local(p *authproxytest.Program) string {
	return strings.Replace(p.URL, "127.0.0.1", "localhost", 1)
}

// TestCallersSpeakTLS by HTTP/1.1 and HTTP/2; the guard's rules hold, and what an answer
// says about addresses is put in terms of https.
func TestCallersSpeakTLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	upstream := authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "http://"+r.Host+"/there")
		w.Header().Set("Set-Cookie", "s=1; Secure; SameSite=None")
		fmt.Fprint(w, r.Header.Get("Authorization") != "")
	}))
	p := secured(t, ca, upstream, "", "")
	if !strings.HasPrefix(p.URL, "https://127.0.0.1:") {
		t.Fatalf("announced as %s", p.URL)
	}
	for _, h2 := range []bool{false, true} {
		client := ca.trusting(h2)
		a := ask(t, p, client, "/x")
		if a.Status != 200 || a.Body != "true" || a.Header.Get("Location") != local(p)+"/there" || a.Header.Get("Set-Cookie") != "s=1; Secure; SameSite=None" {
			t.Errorf("HTTP/2 %t: %d %s %v", h2, a.Status, a.Body, a.Header)
		}
		if a := ask(t, p, client, "/x", "Host", "evil.example"); a.Code() != "host_not_allowed" {
			t.Errorf("HTTP/2 %t: another Host: %d %s", h2, a.Status, a.Body)
		}
		if a := ask(t, p, client, "/x", "Origin", local(p)); a.Status != 200 {
			t.Errorf("HTTP/2 %t: a page from here: %d %s", h2, a.Status, a.Body)
		}
		if a := ask(t, p, client, "/x", "Origin", strings.Replace(local(p), "https:", "http:", 1)); a.Code() != "cross_site" {
			t.Errorf("HTTP/2 %t: a page without TLS: %d %s", h2, a.Status, a.Body)
		}
	}
	out, err := exec.Command("curl", "-sS", "--max-time", "20", "--cacert", ca.file("ca"), "-w", "%{http_version}", local(p)+"/x").CombinedOutput()
	if err != nil || string(out) != "true2" {
		t.Errorf("curl: %v %s", err, out)
	}
}

// TestOldCallersAreTold what is wrong, and so is the log.
func TestOldCallersAreTold(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	p := secured(t, ca, "", `, min_version: "1.3"`, "")
	plain := authproxytest.Ask(t, http.MethodGet, strings.Replace(p.URL, "https:", "http:", 1), nil)
	if plain.Status != http.StatusBadRequest || !strings.Contains(plain.Body, "call https://") {
		t.Errorf("without TLS: %d %s", plain.Status, plain.Body)
	}
	if !p.Stderr.Await("give the application that address with https://") || p.Series(t)[`authproxy_rejected_requests_total{reason="not_http"}`] != 1 {
		t.Errorf("without TLS: not told, or not counted: %s", p.Stderr)
	}
	for name, c := range map[string]struct {
		config *tls.Config
		want   string
	}{
		"old":         {&tls.Config{RootCAs: ca.pool, MaxVersion: tls.VersionTLS12}, "compare listen_tls.min_version with what it speaks"},
		"distrustful": {&tls.Config{}, "have it trust the authority of that"},
	} {
		p := secured(t, ca, "", `, min_version: "1.3"`, "")
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: c.config}}
		if _, err := client.Get(local(p)); err == nil {
			t.Errorf("%s: served", name)
		}
		if !p.Stderr.Await(c.want) {
			t.Errorf("%s: not told: %s", name, p.Stderr)
		}
	}
}

// TestRotatedCertificates are shown without a restart, and kept connections live on.
func TestRotatedCertificates(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	p := secured(t, ca, "", "", "")
	kept := ca.trusting(false)
	if a := ask(t, p, kept, "/x"); a.Status != 200 {
		t.Fatal(a.Status, a.Body)
	}
	next := ca.issue("localhost")
	authproxytest.Eventually(t, "the new certificate", func() bool {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(local(p), "https://"), &tls.Config{RootCAs: ca.pool})
		if err != nil {
			return false
		}
		defer conn.Close()
		return bytes.Equal(conn.ConnectionState().PeerCertificates[0].Raw, next.Certificate[0])
	})
	if a := ask(t, p, kept, "/x"); a.Status != 200 {
		t.Error(a.Status, a.Body)
	}
	authproxytest.Write(t, ca.file("localhost"), "not a certificate")
	if !p.Stderr.Await("the previous ones go on counting") {
		t.Errorf("not told: %s", p.Stderr)
	}
	if a := ask(t, p, ca.trusting(true), "/x"); a.Status != 200 {
		t.Error(a.Status, a.Body)
	}
}

// TestCertifiedCallers: only who shows a certificate of the authority is known; the others
// are told why not.
func TestCertifiedCallers(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t), newAuthority(t)
	p := secured(t, ca, "", fmt.Sprintf(", client_ca_file: %q", ca.file("ca")), "")
	app, stranger := ca.issue("app"), other.issue("stranger")
	for _, h2 := range []bool{false, true} {
		for name, c := range map[string]struct {
			show []tls.Certificate
			want string
		}{
			"known":         {[]tls.Certificate{app}, ""},
			"nobody":        {nil, "showed no certificate"},
			"of another CA": {[]tls.Certificate{stranger}, ""},
		} {
			a := ask(t, p, ca.trusting(h2, c.show...), "/x")
			switch {
			case name == "known":
				if a.Status != 200 {
					t.Errorf("%s: %d %s", name, a.Status, a.Body)
				}
			case a.Code() != "caller_unknown" || !strings.Contains(a.Body, c.want):
				t.Errorf("%s: %d %s", name, a.Status, a.Body)
			}
		}
	}
	forced := ca.trusting(false)
	forced.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &stranger, nil }
	if a := ask(t, p, forced, "/x"); a.Code() != "caller_unknown" || !strings.Contains(a.Body, "its authority is none of listen_tls.client_ca_file") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	// An authority that is exchanged counts for kept connections too.
	kept := ca.trusting(false, app)
	if a := ask(t, p, kept, "/x"); a.Status != 200 {
		t.Error(a.Status, a.Body)
	}
	text, err := os.ReadFile(other.file("ca"))
	if err != nil {
		t.Fatal(err)
	}
	authproxytest.Write(t, ca.file("ca"), string(text))
	authproxytest.Eventually(t, "the old authority to count no more", func() bool { return ask(t, p, kept, "/x").Code() == "caller_unknown" })
}

// TestUpgradeOverTLS: a switched protocol goes both ways.
func TestUpgradeOverTLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	upstream := authproxytest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		line, _ := rw.ReadString('\n')
		_, _ = io.WriteString(conn, "heard "+line)
	}))
	p := secured(t, ca, upstream, "", "")
	conn, err := tls.Dial("tcp", strings.TrimPrefix(local(p), "https://"), &tls.Config{RootCAs: ca.pool})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatal(resp, err)
	}
	_, _ = io.WriteString(conn, "hello\n")
	if line, _ := r.ReadString('\n'); line != "heard hello\n" {
		t.Errorf("%q", line)
	}
}

// TestTLSByReload: it is spoken from then on, and no more after the next.
func TestTLSByReload(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	ca.issue("localhost")
	url := authproxytest.Serve(t, platformtest.NewOAuth2(platformtest.Options{}))
	base := unwatched + "sandbox: off\n" + authproxytest.OAuth2(url, url)
	r := startReloading(t, base)
	r.Good(t)
	if a := r.change(t, fmt.Sprintf("listen_tls: { cert_file: %q, key_file: %q }\n", ca.file("localhost"), ca.file("localhost-key"))+base); a.Status != 204 {
		t.Fatal(a.Status, a.Body)
	}
	if a := ask(t, &authproxytest.Program{URL: strings.Replace(r.URL, "http:", "https:", 1)}, ca.trusting(true), "/x"); a.Status != 200 {
		t.Error(a.Status, a.Body)
	}
	if a := r.change(t, base); a.Status != 204 {
		t.Fatal(a.Status, a.Body)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if line, _ := bufio.NewReader(conn).ReadString('\n'); !strings.Contains(line, "200") {
		t.Errorf("without TLS again: %q", line)
	}
}
