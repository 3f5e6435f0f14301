package config

import (
	"net/textproto"
	"strings"
	"unicode/utf8"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/httpsyntax"
	"authproxy/internal/template"
)

// Here the requests of a token are judged by what their templates come to, and as strictly as by the
// code that sends them: a fault that shows only there has no line.

// rehearse judges the request key of the merged token n.
func (s *params) rehearse(n *tree.Node, key string, t *Token) {
	r := n.Child(key)
	s.requestURL(n, r.Get("url"), t)
	auth := r.Get("auth")
	written := ""
	if auth != nil {
		written = s.p.words.auth(auth.Text).Header
	}
	for _, e := range r.Child("headers").Entries {
		if written != "" && textproto.CanonicalMIMEHeaderKey(e.Name) == written {
			at := &tree.Node{File: e.Value.File, Line: e.Line, Path: e.Value.Path}
			s.p.fault(at, "stands beside auth: "+auth.Text+", which writes this header itself", "remove it, or write auth: none")
		}
		s.filled(e.Value, httpsyntax.HasControl, "holds control characters, which no header can hold", "write one line of text, without tabs")
	}
	r.Get("json").Leaves(func(leaf *tree.Node) {
		s.filled(leaf, notUTF8, "is not text in UTF-8, and a JSON body holds nothing else", "convert it")
	})
}

// requestURL checks the URL that the template at comes to. Credentials and the like count as a word.
func (s *params) requestURL(n, at *tree.Node, t *Token) {
	if at.Empty() || at.Kind != tree.Scalar {
		return
	}
	text, ok := s.render(at, fillURL)
	if !ok {
		return
	}
	from := s.blame(at)
	u := s.p.templateURL(at, from, text)
	if u != nil && u.Fragment != "" {
		marked := func(text string) bool { return strings.Contains(text, "#") }
		s.p.fault(s.source(at, marked), "is a URL with a fragment, which is never sent", "remove the # and the rest, or write %23 for # itself")
	}
	allow := plainHTTP{n.Get("allow_plain_http"), tree.Join("tokens", t.Name)}
	s.p.plain(from, u, allow)
	s.p.throughProxy(from, from, u, t.ProxyURL, allow)
}

// filled records a fault when the template n is wrong once it is filled, at the place that makes it so.
func (s *params) filled(n *tree.Node, wrong func(text string) bool, what, fix string) {
	if n.Kind != tree.Scalar {
		return
	}
	if text, ok := s.render(n, fill); ok && wrong(text) {
		s.p.fault(s.source(n, wrong), what, fix)
	}
}

// source returns what makes the template n wrong: itself, or the value of the param in it that is.
func (s *params) source(n *tree.Node, wrong func(text string) bool) *tree.Node {
	if s == nil || wrong(n.Text) {
		return n
	}
	for _, name := range template.Parse(n.Text).Names() {
		switch d := s.byName[name]; {
		case contains(CredentialNames(), name) || !wrong(s.done[name]):
		case d.value != nil:
			return d.value
		case d.def != nil:
			return s.source(d.def, wrong)
		}
	}
	return n
}

func notUTF8(text string) bool { return !utf8.ValidString(text) }
