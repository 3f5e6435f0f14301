package admin

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io"
	"net/http"
	"strings"
)

// pageFiles are the parts of the status page.
//
//go:embed page
var pageFiles embed.FS

// newPage returns the status page: one answer that asks for nothing but /api/status. Its
// content security policy names what is in it by hashes, so that nothing else is run, and
// lets nobody put it into a frame.
func newPage() http.HandlerFunc {
	style := part("page.css")
	script := "(function() {\n" + part("words.js") + part("draw.js") + part("page.js") + "})();\n"
	text := strings.NewReplacer("{{style}}", style, "{{script}}", script).Replace(part("page.html"))
	policy := "default-src 'none'; style-src '" + hashed(style) + "'; script-src '" + hashed(script) +
		"'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", policy)
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		_, _ = io.WriteString(w, text)
	}
}

func part(name string) string {
	text, err := pageFiles.ReadFile("page/" + name)
	if err != nil {
		panic("admin: " + err.Error()) // the program was built without it
	}
	return string(text)
}

// hashed names a text in a content security policy (CSP Level 3, section 2.3.1).
func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
