package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"authproxy/cmd/authproxy/internal/server"
	"authproxy/internal/httpsyntax"
	"authproxy/proxy/platformtest"
)

// demoConfig is the configuration of the demo: what a user would write, but
// for the listeners.
const demoConfig = `listen: %s
tokens:
  weda:
    provider: weda-private
    params: { base_url: "%s" }
    client_id: AKID-demo
    client_secret: demo-secret-key
upstreams: [{ name: weda, token: weda }]
`

// besideDemo are the listeners of a second proxy, for which the system finds ports.
const besideDemo = "127.0.0.1:0   # 0: any free port; it is printed at start\nadmin: { listen: 127.0.0.1:0 }"

func demoCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{Use: "demo", Short: "Shows the proxy before a simulated platform, on loopback", Args: atMost(0),
		Example: "  authproxy demo\n  authproxy demo --once"}
	once := cmd.Flags().Bool("once", false, "end by itself after the show")
	listen := cmd.Flags().String("listen", "127.0.0.1:0", "`ADDRESS` where the proxy listens")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if httpsyntax.IsUnix(*listen) {
			return usageError{errors.New("the demo calls itself by host and port: give --listen 127.0.0.1:0 or the like")}
		}
		d, err := newDemo(*listen, std)
		if err != nil {
			return err
		}
		defer d.close()
		if err := d.show(cmd.Context()); err != nil || *once {
			return err
		}
		return d.wait(cmd.Context())
	}
	return cmd
}

// demo is a simulated platform, a proxy before it, and a narrator.
type demo struct {
	std      streams
	platform *platformtest.Platform
	behind   *http.Server
	proxy    *server.Server
	direct   string // URL of the platform
	through  string // URL of the proxy
	client   *http.Client
}

func newDemo(listen string, std streams) (*demo, error) {
	d := &demo{std: std, client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}}
	d.platform = platformtest.NewWeDa(platformtest.Options{ClientID: "AKID-demo", ClientSecret: "demo-secret-key"})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("no place for the simulated platform: %w", err)
	}
	d.direct = "http://" + l.Addr().String()
	d.behind = &http.Server{Handler: d.platform, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = d.behind.Serve(l) }()
	text := fmt.Sprintf(demoConfig, listen, d.direct)
	cfg, err := server.Parse("demo.yaml", []byte(text+"admin: { listen: \"\" }\nlog: { level: warn, access: none }\n"), ".")
	if err != nil {
		return nil, err
	}
	if d.proxy, err = begin(cfg, std, server.Options{File: "the demo"}); err != nil {
		_ = d.behind.Close()
		return nil, err
	}
	d.through = d.proxy.Place(0)
	d.say("A simulated platform (WeDa) is at %s.\nIt wants an access token. authproxy is at %s.", d.direct, d.through)
	d.say("Its configuration, which 'authproxy serve -c FILE' serves beside this one:\n")
	d.say("%s", "    "+strings.ReplaceAll(strings.TrimSpace(fmt.Sprintf(demoConfig, besideDemo, d.direct)), "\n", "\n    ")+"\n")
	return d, nil
}

func (d *demo) close() {
	d.proxy.Drain()
	_ = d.behind.Close()
	d.client.CloseIdleConnections()
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.std.out, format+"\n", args...) }

const demoPath = "/weda/odata/v1/prod/sys_user"

// show runs the story. It fails when the proxy does not keep its promises.
func (d *demo) show(ctx context.Context) error {
	d.say("1. The platform without a token refuses, with status 200 and a code in the body:")
	if answer, err := d.curl(ctx, d.direct); err != nil || !refused(answer) {
		return fmt.Errorf("the platform did not refuse: %s %v", answer, err)
	}
	d.say("\n2. The same request through authproxy, still without credentials:")
	if err := d.good(ctx, 1); err != nil {
		return err
	}
	d.say("\n3. A hundred more at once:")
	if err := d.hundred(ctx, 1); err != nil {
		return err
	}
	d.platform.RevokeAll()
	d.say("\n4. The platform has revoked the token. The next request all the same:")
	if err := d.good(ctx, 2); err != nil {
		return err
	}
	d.platform.RevokeAll()
	d.say("\n5. Revoked again, and a hundred requests meet the refusal at once:")
	return d.hundred(ctx, 3)
}

func refused(body string) bool { return strings.Contains(body, "INVALID_ACCESS_TOKEN") }

// good sends one request through the proxy and expects a good answer, with so
// many token requests up to now.
func (d *demo) good(ctx context.Context, tokenRequests int) error {
	body, err := d.curl(ctx, d.through)
	if err != nil {
		return err
	}
	if refused(body) {
		return fmt.Errorf("the request was refused: %s", body)
	}
	return d.count(tokenRequests)
}

func (d *demo) hundred(ctx context.Context, tokenRequests int) error {
	var wg sync.WaitGroup
	failed := make(chan error, 100)
	for range 100 {
		wg.Go(func() {
			if body, err := d.get(ctx, d.through); err != nil || refused(body) {
				failed <- fmt.Errorf("a request failed: %s %v", body, err)
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return err
	default:
		d.say("   100 good answers")
		return d.count(tokenRequests)
	}
}

func (d *demo) count(want int) error {
	c := d.platform.Counts()
	d.say("   token requests so far: %d; API requests: %d, of these refused: %d", c.TokenRequests, c.APIRequests, c.Refused)
	if int(c.TokenRequests) != want {
		return fmt.Errorf("%d token requests, expected %d", c.TokenRequests, want)
	}
	return nil
}

func (d *demo) curl(ctx context.Context, base string) (string, error) {
	d.say("   $ curl %s%s", base, demoPath)
	body, err := d.get(ctx, base)
	d.say("   %s", foldJSON(strings.TrimSpace(body), columns-3))
	return body, err
}

// foldJSON breaks text behind commas, where its lines would be longer than width.
func foldJSON(text string, width int) string {
	var out strings.Builder
	used := 0
	for _, part := range strings.SplitAfter(text, ",") {
		if used > 0 && used+len(part) > width {
			out.WriteString("\n   ")
			used = 1
		}
		out.WriteString(part)
		used += len(part)
	}
	return out.String()
}

func (d *demo) get(ctx context.Context, base string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+demoPath, nil)
	if err != nil {
		return "", err
	}
	resp, err := d.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), err
}

// wait leaves platform and proxy running for the user to play with.
func (d *demo) wait(ctx context.Context) error {
	d.say("\nNow you: curl -i %s%s", d.through, demoPath)
	lines := make(chan struct{})
	if isTerminal(d.std.in) {
		d.say("Enter revokes the token, Ctrl-C ends.")
		go func() {
			for in := bufio.NewScanner(d.std.in); in.Scan(); {
				lines <- struct{}{}
			}
		}()
	} else {
		d.say("Ctrl-C ends.")
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-lines:
			c := d.platform.Counts()
			d.platform.RevokeAll()
			d.say("revoked; token requests so far: %d", c.TokenRequests)
		}
	}
}

// isTerminal tells whether somebody may press a key at f.
func isTerminal(f any) bool {
	file, ok := f.(*os.File)
	if !ok {
		return false
	}
	return term.IsTerminal(int(file.Fd()))
}
