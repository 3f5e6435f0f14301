package proxy

import (
	"net/http"
	"net/netip"
	"strings"

	"authproxy/internal/httpsyntax"
)

// localCookies returns the cookies of an answer with the attributes that client's
// jar needs to take them and to send them back (RFC 6265 section 5).
func (a *addresses) localCookies(fields []string, client *http.Request) []string {
	local := make([]string, 0, len(fields))
	for _, field := range fields {
		ours := a.localCookie(field, client, client.TLS != nil)
		local = append(local, ours)
		if client.TLS == nil && isSecureByName(field) {
			// Jars that know such names take no other than a secure one, which curl
			// and browsers send back to localhost. The other jars keep what comes
			// last, or first: Java's HttpURLConnection hands fields on in reverse.
			if secure := a.localCookie(field, client, true); secure != ours {
				local = append(local, secure, ours)
			}
		}
	}
	return local
}

// localCookie returns a cookie as it is for client, to be sent over TLS only or
// not. Jars take it apart at each semicolon, quoted or not.
func (a *addresses) localCookie(field string, client *http.Request, secure bool) string {
	parts := strings.Split(field, ";")
	domain := false
	for _, part := range parts[1:] {
		if name, value := attribute(part); name == "domain" {
			domain = a.covers(value, client) // the last one counts
		}
	}
	out := parts[:1]
	for _, part := range parts[1:] {
		name, value := attribute(part)
		switch {
		case name == "domain" && domain, !secure && needsTLS(name, value):
			continue
		case name == "path" && !isHostOnlyByName(field):
			part = strings.Replace(part, value, a.paths.cookie(value), 1)
		}
		out = append(out, part)
	}
	return strings.Join(out, ";")
}

// attribute returns the name of a cookie's attribute in lower case, and its value
// without quotes.
func attribute(text string) (name, value string) {
	name, value, _ = strings.Cut(text, "=")
	return strings.ToLower(strings.TrimSpace(name)), strings.Trim(strings.TrimSpace(value), `"`)
}

// needsTLS tells whether jars refuse a cookie with that attribute, or keep it to
// themselves, where there is no TLS.
func needsTLS(name, value string) bool {
	return name == "secure" || name == "partitioned" || name == "samesite" && strings.EqualFold(value, "none")
}

// covers tells whether a cookie of that domain is one of the upstream's host. No
// jar takes one of another host, nor of a whole top-level domain.
func (a *addresses) covers(domain string, client *http.Request) bool {
	if domain == "" {
		return true
	}
	domain = httpsyntax.Hostname(strings.TrimPrefix(domain, "."))
	return covers(domain, a.own.host) || a.preserve && covers(domain, httpsyntax.Hostname(client.Host))
}

func covers(domain, host string) bool {
	if domain == host {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err != nil && strings.Contains(domain, ".") && strings.HasSuffix(host, "."+domain)
}

// isSecureByName tells whether a jar may refuse a cookie of that name without
// Secure (RFC 6265bis section 4.1.3).
func isSecureByName(cookie string) bool {
	return hasPrefixFold(cookie, "__Secure-") || hasPrefixFold(cookie, "__Http-") || isHostOnlyByName(cookie)
}

// isHostOnlyByName tells whether a jar may refuse a cookie of that name with
// another path than "/".
func isHostOnlyByName(cookie string) bool { return hasPrefixFold(cookie, "__Host-") }

func hasPrefixFold(text, prefix string) bool {
	text = strings.TrimLeft(text, " \t")
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}
