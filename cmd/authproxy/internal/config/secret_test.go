package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

func TestSecretFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s")
	s := Secret{file: file}
	tests := []struct{ content, want, fault string }{
		{" one\n", "one", ""},
		{"\ufefftwo\r\n", "two", ""},
		{"A=B=", "", "NAME=value"},
		{"CLIENT_SECRET=hush", "", "NAME=value"},
		{"JBSWY3DP====", "JBSWY3DP====", ""},
		{"a=b", "a=b", ""},
		{"A=hush\nB=hush", "", "more than one line"},
		{" \n", "", "empty"},
		{strings.Repeat("hush", maxSecret), "", "larger"},
	}
	for _, tt := range tests { // one Secret sees each new content
		if err := os.WriteFile(file, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := s.Read()
		if got != tt.want || (err == nil) != (tt.fault == "") {
			t.Errorf("%.20q: %q, %v", tt.content, got, err)
		}
		if err != nil && (!strings.Contains(err.Error(), tt.fault) || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "hush")) {
			t.Errorf("%.20q: %v", tt.content, err)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(); err == nil || !strings.Contains(err.Error(), "check path and permissions") {
		t.Errorf("%v", err)
	}
}

func TestSecretNeverShows(t *testing.T) {
	const value = "hush-hush"
	s := inlineSecret(value)
	holder := struct {
		S      Secret
		P      *Secret
		M      map[string]Secret
		hidden Secret
	}{s, &s, map[string]Secret{"a": s}, s}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+"\n", s, holder)
	}
	log := slog.New(slog.NewJSONHandler(&out, nil))
	log.Info("x", "secret", s, "holder", holder)
	encoded, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	if encoded, err = yaml.Marshal(s); err != nil {
		t.Fatal(err)
	}
	out.Write(encoded)
	if strings.Contains(out.String(), value) || strings.Contains(out.String(), fmt.Sprintf("%x", value)) {
		t.Errorf("%s", out.String())
	}
	if got, err := s.Read(); got != value || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestEnvironment(t *testing.T) {
	tests := []struct{ in, want, fault string }{
		{"${CLIENT_ID}", "id-from-env", ""},
		{"a${CLIENT_ID}b${NONE:-c}", "aid-from-envbc", ""},
		{"${EMPTY:-d}${EMPTY}", "d", ""},
		{"$${CLIENT_ID} $x {y}", "${CLIENT_ID} $x {y}", ""},
		{"${NONE}", "", "environment variable NONE is not set"},
		{"${1}", "", "does not begin the name"},
	}
	for _, tt := range tests {
		cfg, err := testParse("test.yaml", "tokens:\n  a:\n    token_url: https://x/t\n    client_id: i\n    client_secret: '"+
			tt.in+"'\n    upstream: { url: https://x }"+upstreamA)
		switch {
		case tt.fault != "":
			if err == nil || !strings.HasPrefix(err.Error(), "test.yaml:5: tokens.a.client_secret: ") || !strings.Contains(err.Error(), tt.fault) {
				t.Errorf("%s: %v", tt.in, err)
			}
		case err != nil:
			t.Errorf("%s: %v", tt.in, err)
		default:
			if got, _ := cfg.Tokens[0].Credentials["client_secret"].Read(); got != tt.want {
				t.Errorf("%s: %q", tt.in, got)
			}
		}
	}
}
