package config

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"unicode"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/jsonpath"
)

// secretKeys are the keys of one of the secrets of a token that stands in a file.
type secretKeys struct {
	File string `yaml:"file" rule:"required" fix:"give the path of a file"`
	Path string `yaml:"path" rule:"nonempty"` // a JSON path, of a member of it
}

// moreSecrets reads the secrets of the merged token n besides its credentials.
func (s *params) moreSecrets(n *tree.Node, t *Token, used map[string]bool) {
	at := n.Child("secrets")
	if !s.p.faults.IsMapping(at) {
		return
	}
	for _, e := range at.Entries {
		if !used[e.Name] && e.Name != signs(n) && !s.open && !s.p.faulty(t) {
			s.p.fault(&tree.Node{File: e.Value.File, Line: e.Line, Path: e.Value.Path}, "has no effect: nothing of this token holds {"+e.Name+"}", "remove it, or write the name where the secret belongs")
		}
		t.Credentials[e.Name] = s.p.moreSecret(e.Value, used[e.Name])
	}
}

// moreSecret reads one of them: a value, or a mapping of secretKeys. filled says that it stands in a template,
// where one line is all that there may be.
func (p *parser) moreSecret(n *tree.Node, filled bool) Secret {
	if n.Kind != tree.Mapping {
		if n.Kind != tree.Scalar || n.Text == "" {
			p.badText(n, "is empty", "give a value, or { file: PATH }")
			return Secret{}
		}
		p.oneLine(n, n.Text, filled)
		p.inlineDoubts(n, "{ file: PATH }", true)
		return inlineSecret(n.Text)
	}
	var keys secretKeys
	p.fill(n, &keys)
	if keys.File == "" {
		return Secret{}
	}
	s := Secret{file: p.resolvePath(keys.File), member: keys.Path, lines: true}
	if _, err := jsonpath.Parse(keys.Path); err != nil && keys.Path != "" {
		p.fault(n.Get("path"), "is not a JSON path", pathFix)
		return s
	}
	value, err := s.Read()
	if err != nil {
		what, fix, _ := strings.Cut(strings.TrimPrefix(err.Error(), "secret file "+s.file+": "), "; ")
		p.fault(n.Get("file"), "the file "+s.file+" "+what, fix)
		return s
	}
	p.oneLine(n.Get("file"), value, filled)
	if notFilledIn.MatchString(value) {
		p.warn(n.Get("file"), "what the file holds "+toFillIn, "write the value itself into "+s.file)
	}
	p.isMisquoted(n.Get("file"), value, "what the file holds")
	p.guarded(n.Get("file"), s.file)
	return s
}

// oneLine records a fault where a secret of several lines, which only a key may have, is to stand in a template.
func (p *parser) oneLine(n *tree.Node, value string, filled bool) {
	if filled && strings.ContainsFunc(value, unicode.IsControl) {
		p.fault(n, "holds more than one line, or control characters", "a secret that stands in braces has one line; one of more lines may be the key of jwt")
	}
}

var (
	errNoJSON   = errors.New("is no JSON; remove path, or see that this is the right file")
	errNoMember = errors.New("has no text at path; see which members it has")
)

// readMember reads a text out of a JSON file. Errors name no content.
func readMember(file, path string) (string, error) {
	data, err := os.ReadFile(file)
	switch {
	case err != nil:
		return "", unreadable(err)
	case len(data) > maxSecret:
		return "", errLargeSecret
	}
	var doc any
	if json.Unmarshal(data, &doc) != nil {
		return "", errNoJSON
	}
	at, err := jsonpath.Parse(path)
	if err != nil {
		return "", errNoMember
	}
	value, _ := at.First(doc)
	text, ok := jsonpath.Text(value)
	if text = strings.TrimSpace(text); !ok || text == "" {
		return "", errNoMember
	}
	return text, nil
}
