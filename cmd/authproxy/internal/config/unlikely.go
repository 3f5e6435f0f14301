package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/template"
)

// Here stands what is accepted but probably not meant: each is a warning.

// notFilledIn are ways to write a variable that have no meaning here, and texts that stand in examples.
var notFilledIn = regexp.MustCompile(`(?i)^(\$[a-z_][a-z0-9_]*|\$\(.+\)|%[a-z_][a-z0-9_]*%|\{\{.*\}\}|@@?[a-z_]+@@?|<[^<>]+>|x{4,}|\.\.\.|change[-_ ]?me|(https?://)?your[-_ ].+|todo)$`)

const toFillIn = "looks like a value that was to be filled in, and is taken as it stands"

// isNotFilledIn warns of each value of the file that looks like one that was to be replaced.
func (p *parser) isNotFilledIn(root *tree.Node) {
	root.Leaves(func(n *tree.Node) {
		switch written := notFilledIn.MatchString(n.Raw); {
		case n.Tag != "!!str" || !written && !notFilledIn.MatchString(n.Text):
		case !written:
			p.warn(n, toFillIn, "set the variable of the environment")
		case strings.HasPrefix(n.Raw, "$") || strings.HasPrefix(n.Raw, "%"):
			p.warn(n, toFillIn, "write ${NAME}, with braces, for a variable of the environment")
		default:
			p.warn(n, toFillIn, "write the value itself")
		}
	})
}

// isMisquoted warns of a secret that is likely to be longer or shorter than was meant. place is where it
// stands in the file, or where its file is named.
func (p *parser) isMisquoted(place *tree.Node, value, where string) {
	first, last := value[:1], value[len(value)-1:]
	switch {
	case len(value) > 1 && first == last && strings.ContainsAny(first, "\"'`"), strings.HasPrefix(value, "“") && strings.HasSuffix(value, "”"):
		p.warn(place, where+" stands in quotes, which count as a part of it", "take them out, unless the platform shows them too")
	case strings.ContainsFunc(value, isInvisible):
		p.warn(place, where+" holds a character that cannot be seen, such as a blank of no width", "copy it again, or write it by hand")
	case strings.TrimSpace(value) != value:
		p.warn(place, where+" begins or ends with a blank, which counts as a part of it", "take it out, unless the platform shows it too")
	}
}

// isInvisible says whether nothing shows where r stands, and no keyboard writes it.
func isInvisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) || r != ' ' && unicode.Is(unicode.Zs, r) || r == '\u2028' || r == '\u2029'
}

// inlineDoubts warns of what is strange about the secret that stands in the file as n; inFile is how one is
// written that stands in a file of its own.
func (p *parser) inlineDoubts(n *tree.Node, inFile string, confidential bool) {
	if n.Comment && n.Raw == n.Text {
		p.warn(n, "what stands behind # is a comment and no part of the value", "quote the value if it is, or put the comment into a line of its own")
	}
	if p.isPath(n) {
		p.warn(n, "looks like the path of a file, and is taken as the value itself", "write "+inFile+", if it is one")
		return
	}
	p.isMisquoted(n, n.Text, "the value")
	if confidential && n.Raw == n.Text && p.own != "" && !p.exposedOwn {
		p.exposedOwn = p.guard(n, p.own, "stands in a file that every user of this machine can read",
			"run chmod 600 on "+p.own+", or move the value into a file of its own: "+inFile)
	}
}

// isPath says whether n names a file, or would on another machine.
func (p *parser) isPath(n *tree.Node) bool {
	for _, begin := range []string{"/run/", "/var/", "/etc/", "/mnt/", "/home/", "./", "../", "~/"} {
		if strings.HasPrefix(n.Text, begin) {
			return true
		}
	}
	if !strings.ContainsAny(n.Text, "/.") || len(n.Text) > 255 {
		return false
	}
	info, err := os.Stat(p.resolvePath(filepath.FromSlash(n.Text)))
	return err == nil && info.Mode().IsRegular()
}

// almostPlaceholder is what a reader of a template would take for a placeholder.
var almostPlaceholder = regexp.MustCompile(`\{\{?\s*\$?[A-Za-z_][A-Za-z0-9_.\-]*\s*(\([^{}"]*\))?\s*\}\}?`)

// almostPlaceholders warns of braces in the template n that are sent as they stand.
func (p *parser) almostPlaceholders(n *tree.Node, known []string) {
	for _, piece := range template.Parse(n.Text) {
		found := almostPlaceholder.FindString(piece.Literal)
		if found == "" || !strings.Contains(n.Raw, found) || notFilledIn.MatchString(n.Raw) {
			continue
		}
		what, fix := "what stands in braces here", "the placeholders are names in small letters without blanks, such as {client_id}"
		for _, name := range known { // what is none of ours may be a secret
			if plainName(name) != "" && strings.Contains(plainName(found), plainName(name)) {
				what = found
			}
		}
		p.warn(n, what+" is no placeholder, and is sent as it stands", fix)
	}
}

// plainName is a name without what people write differently.
func plainName(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune("_-. {}$", r) {
			return -1
		}
		return r
	}, name))
}

// basicName records a fault about a user of HTTP's Basic authentication that cannot be sent: the first
// colon ends it (RFC 7617 section 2).
func (p *parser) basicName(at *tree.Node, name string, value string) {
	if strings.Contains(value, ":") {
		p.fault(at, "holds a colon, and auth: basic_raw ends "+name+" at the first one", "write auth: basic, which encodes it, if the platform reads RFC 6749; or have another id given out")
	}
}
