package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const upstreamA = "\nupstreams: [{ name: a, token: a }]\n"

func TestPresets(t *testing.T) {
	const creds = ", client_id: i, client_secret: s }"
	tests := []struct {
		token, request, url, inject, invalid string
	}{
		{"token_url: https://id/t, upstream: { url: https://api }" + creds,
			"POST https://id/t basic form=map[grant_type:client_credentials scope:{scope}] json=<nil> query=map[]",
			"https://api", "Authorization Bearer ", "[401]"},
		{"provider: weda, params: { env_id: e }" + creds,
			`POST https://e.ap-shanghai.tcb-api.tencentcloudapi.com/auth/v1/token/clientCredential basic_raw form=map[] json=map[grant_type:client_credentials] query=map[]`,
			"https://e.ap-shanghai.tcb-api.tencentcloudapi.com", "Authorization Bearer ",
			"[401] code=INVALID_ACCESS_TOKEN,INVALID_CREDENTIALS&requestId=*"},
		{"provider: weda, params: { base_url: https://b/ }" + creds,
			`POST https://b/auth/v1/token/clientCredential basic_raw form=map[] json=map[grant_type:client_credentials] query=map[]`,
			"https://b", "Authorization Bearer ", "[401] code=INVALID_ACCESS_TOKEN,INVALID_CREDENTIALS&requestId=*"},
		{"provider: weda-private, params: { base_url: 'http://10.1.2.3:80' }" + creds,
			`POST http://10.1.2.3:80/auth/v1/token/clientCredential basic_raw form=map[] json=map[grant_type:client_credentials] query=map[]`,
			"http://10.1.2.3:80", "Authorization Bearer ", "[401] code=INVALID_ACCESS_TOKEN,INVALID_CREDENTIALS&requestId=*"},
		{"provider: cloudbase-user, params: { env_id: e }, username: u, password: p }",
			`POST https://e.api.tcloudbasegateway.com/auth/v1/signin none form=map[] json=map[password:{password} username:{username}] query=map[client_id:{client_id}]`,
			"https://e.api.tcloudbasegateway.com", "Authorization Bearer ",
			"[401] code=INVALID_ACCESS_TOKEN,INVALID_CREDENTIALS&requestId=* error=unauthenticated&error_code=*"},
		{"provider: hengshi, params: { base_url: https://h }" + creds,
			`GET https://h/api/oauth2/server/tokens none form=map[] json=<nil> query=map[client_id:{client_id} client_secret:{client_secret} grant_type:client_credentials]`,
			"https://h", "Authorization Bearer ", "[401]"},
		{"provider: gongjiangyun" + creds,
			`POST http://saeapi.dhgjcloud.com:18081/oauth/token none form=map[client_id:{client_id} client_secret:{client_secret} grant_type:client_credentials scope:{scope}] json=<nil> query=map[]`,
			"http://saeapi.dhgjcloud.com:18081", "Authorization {token_type} ", "[401]"},
	}
	for _, tt := range tests {
		cfg := good(t, "tokens:\n  a: { "+tt.token+upstreamA)
		tok, u := cfg.Tokens[0], cfg.Upstreams[0]
		if got := describe(tok); got != tt.request {
			t.Errorf("%s\n got %s\nwant %s", tt.token, got, tt.request)
		}
		if got := fmt.Sprintf("%s %s %s", u.Inject.Header, u.Inject.Scheme, u.Inject.Query); got != tt.inject || u.URL.String() != tt.url {
			t.Errorf("%s: inject %q, url %s", tt.token, got, u.URL)
		}
		invalid := fmt.Sprint(u.InvalidToken.Status)
		for _, all := range u.InvalidToken.Body {
			for i, m := range all {
				invalid += map[bool]string{true: " ", false: "&"}[i == 0] + m.Path.String() + "=" + strings.Join(m.Values, ",")
			}
		}
		if invalid != tt.invalid {
			t.Errorf("%s: invalid %s", tt.token, invalid)
		}
	}
}

func describe(tok Token) string {
	url := fill(tok.Request.URL, func(name string) string { return tok.Params[name] })
	r := tok.Request
	return fmt.Sprintf("%s %s %s form=%v json=%v query=%v", r.Method, url, r.Auth, r.Form, r.JSON, r.Query)
}

func TestPresetDetails(t *testing.T) {
	cfg := good(t, `tokens:
  h: { provider: hengshi, params: { base_url: https://h }, client_id: i, client_secret: s }
  g: { provider: gongjiangyun, client_id: i, client_secret: s }
  c: { provider: cloudbase-user, params: { base_url: https://c, client_id: app }, username: u, password: p }
upstreams:
  - { name: h, token: h, path: /h, query: { set: { sudo: "{header.X-Sudo-User}" } } }
  - { name: g, token: g, path: /g }
  - { name: c, token: c, path: /c }
`)
	h, g, c := cfg.Tokens[0], cfg.Tokens[1], cfg.Tokens[2]
	if ok := h.Revoke.OK; len(ok) != 1 || ok[0].Path.String() != "code" || ok[0].Values[0] != "0" || h.Check == nil || h.Refresh != nil {
		t.Errorf("hengshi: %+v", h)
	}
	q := cfg.Upstreams[0].Query
	if !slices.Equal(q.Drop, []string{"sudo", "tenantId", "tenantCode", "access_token"}) || q.Set["sudo"] == "" {
		t.Errorf("hengshi: %+v", q)
	}
	if g.OldToken != OldTokenDies || !slices.Equal(cfg.Upstreams[1].Headers.Allow, []string{"Content-Type"}) {
		t.Errorf("gongjiangyun: %+v", g)
	}
	if len(cfg.Warnings) != 2 || !strings.HasPrefix(cfg.Warnings[0], "preset gongjiangyun:7: params.base_url.default: plain http") {
		t.Errorf("warnings: %q", cfg.Warnings)
	}
	if id, _ := c.Credentials["client_id"].Read(); id != "app" || c.Refresh == nil || c.Revoke == nil || c.Params["client_id"] != "" {
		t.Errorf("cloudbase: %+v", c)
	}
}

func TestPresetTexts(t *testing.T) {
	for _, name := range []string{"cloudbase-user", "gongjiangyun", "hengshi", "oauth2", "weda", "weda-private"} {
		if !contains(Presets(), name) {
			t.Errorf("no %s in %q", name, Presets())
		}
	}
	grouped := 0
	for _, group := range PresetGroups() {
		grouped += len(group.Presets)
		widest := 0
		for _, name := range group.Presets {
			widest = max(widest, len(name))
		}
		for _, name := range group.Presets {
			text, err := Preset(name)
			if summary := PresetSummary(name); err != nil || summary == "" || 4+widest+len(summary) > 80 {
				t.Errorf("%s: its summary %q does not fit a line of 80", name, summary)
			}
			if lines := strings.Count(string(text), "\n"); lines > 55 {
				t.Errorf("%s has %d lines", name, lines)
			}
		}
	}
	if grouped != len(Presets()) {
		t.Errorf("%d of %d presets are in a group", grouped, len(Presets()))
	}
	if _, err := Preset("wedda"); err == nil || !strings.Contains(err.Error(), "did you mean weda?") {
		t.Errorf("%v", err)
	}
}

// TestMerge lays a file over a preset and prints what is left.
func TestMerge(t *testing.T) {
	const head = "tokens:\n  a: { provider: weda, params: { base_url: https://b }, client_id: i, client_secret: s, "
	tests := []struct {
		name, token, upstream string
		got                   func(Token, Upstream) any
		want                  string
	}{
		{"json is replaced whole", "request: { json: { x: 1 } }", "", request, `{"auth":"basic_raw","form":null,"json":{"x":1},"method":"POST"}`},
		{"form drops json", "request: { form: { y: 2 } }", "", request, `{"auth":"basic_raw","form":{"y":"2"},"json":null,"method":"POST"}`},
		{"post", "auth_method: client_secret_post, endpoint_params: { z: 1 }, request: { form: { y: 2 } }", "", request,
			`{"auth":"none","form":{"client_id":"{client_id}","client_secret":"{client_secret}","y":"2","z":"1"},"json":null,"method":"POST"}`},
		{"empty status counts", "", "invalid_token: { status: [] }", invalid, `[0,1]`},
		{"empty body values count", "", "invalid_token: { body: { code: [] } }", invalid, `[1,0]`},
		{"null resets", "", "invalid_token: ", invalid, `[1,0]`},
		{"bodies add up", "upstream: { invalid_token: { body: { x: y } } }", "invalid_token: { body: { z: y } }", invalid, `[1,2]`},
		{"empty scheme", "", `inject: { scheme: "" }`, inject, `{"Header":"Authorization","Scheme":"","Query":"","Cookie":""}`},
		{"cookie drops header", "upstream: { inject: { header: x-t } }", "inject: { cookie: SID }", inject, `{"Header":"","Scheme":"","Query":"","Cookie":"SID"}`},
		{"header drops cookie", "upstream: { inject: { cookie: SID } }", "inject: { header: x-t }", inject, `{"Header":"X-T","Scheme":"Bearer","Query":"","Cookie":""}`},
		{"query drops header", "", "inject: { query: t }", inject, `{"Header":"","Scheme":"","Query":"t","Cookie":""}`},
		{"header drops query", "upstream: { inject: { query: t } }", "inject: { header: x-t }", inject, `{"Header":"X-T","Scheme":"Bearer","Query":"","Cookie":""}`},
		{"upstream over token", "upstream: { url: https://c }", "url: https://d", address, `"https://d"`},
		{"token over preset", "upstream: { url: '{base_url}/c' }", "", address, `"https://b/c"`},
	}
	for _, tt := range tests {
		cfg := good(t, head+tt.token+" }\nupstreams: [{ name: a, token: a, "+tt.upstream+" }]\n")
		got, err := json.Marshal(tt.got(cfg.Tokens[0], cfg.Upstreams[0]))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: got %s, want %s (%v)", tt.name, got, tt.want, err)
		}
	}
}

func request(t Token, _ Upstream) any {
	return map[string]any{"method": t.Request.Method, "auth": t.Request.Auth, "form": t.Request.Form, "json": t.Request.JSON}
}
func invalid(_ Token, u Upstream) any {
	return []int{len(u.InvalidToken.Status), len(u.InvalidToken.Body)}
}
func inject(_ Token, u Upstream) any  { return u.Inject }
func address(_ Token, u Upstream) any { return u.URL.String() }

// TestListsOfNamesJoin: what a preset drops stays dropped when a file drops more.
func TestListsOfNamesJoin(t *testing.T) {
	upstream := func(query, headers string) Upstream {
		return good(t, fmt.Sprintf(`
tokens: { t: { provider: hengshi, params: { base_url: "https://x.example" }, client_id: a, client_secret: b, upstream: { headers: { allow: [A], drop: [B] } } } }
upstreams: [{ name: u, token: t, query: %s, headers: %s }]
`, query, headers)).Upstreams[0]
	}
	for _, u := range []Upstream{upstream("{ drop: [foo] }", "{ allow: [C], drop: [D] }"), upstream("{ drop: foo }", "{ allow: C, drop: D }")} {
		if got := fmt.Sprint(u.Query.Drop, u.Headers.Allow, u.Headers.Drop); got != "[sudo tenantId tenantCode access_token foo] [A C] [B D]" {
			t.Error(got)
		}
	}
	u := upstream("{ drop: [] }", "{ allow: [], drop: [] }")
	if got := fmt.Sprint(u.Query.Drop, u.Headers.Allow, u.Headers.Drop); got != "[] [] []" {
		t.Errorf("an explicit [] begins anew: %s", got)
	}
}
