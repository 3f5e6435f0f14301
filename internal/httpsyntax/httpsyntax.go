// Package httpsyntax knows the syntax that configuration, token requests and
// proxy share: tokens and names of header fields, patterns of paths, addresses
// of unix sockets.
package httpsyntax

import (
	"net/textproto"
	"strings"
)

// IsToken tells whether s is a token (RFC 9110 section 5.6.2), as methods and
// the names of header fields are.
func IsToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		digit := '0' <= c && c <= '9'
		if !letter && !digit && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}

// HasControl tells whether s holds a control character, tabs among them, which
// no header field of ours may hold.
func HasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// FoldName returns the form in which names of header fields compare: in the
// spelling of net/http, and with '-' for '_', because CGI-style servers cannot
// tell these apart (CVE-2025-64484).
func FoldName(name string) string {
	if strings.IndexByte(name, '_') >= 0 {
		name = strings.ReplaceAll(name, "_", "-")
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

// UnixPrefix begins the address of a unix socket.
const UnixPrefix = "unix:"

// UnixPath returns the path in the address of a unix socket, such as
// unix:/run/app.sock; ok is false for any other address.
func UnixPath(address string) (path string, ok bool) {
	return strings.CutPrefix(address, UnixPrefix)
}

// SystemdName returns the name in the address of a socket that systemd opens, such as
// systemd:NAME, and whether address is one.
func SystemdName(address string) (name string, ok bool) {
	return strings.CutPrefix(address, "systemd:")
}

// IsUnix tells whether address is that of a unix socket.
func IsUnix(address string) bool { return strings.HasPrefix(address, UnixPrefix) }
