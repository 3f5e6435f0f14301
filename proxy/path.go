package proxy

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// aim points out at the target: its scheme, host and base path, and behind
// them the client's path byte for byte, less the prefix to strip.
func aim(out *url.URL, in *http.Request, target *url.URL, strip string) {
	out.Scheme, out.Host, out.User, out.Opaque = target.Scheme, target.Host, nil, ""
	raw := rawPath(in)
	if raw == "*" { // OPTIONS *, RFC 9112 section 3.2.4
		out.Path, out.RawPath = "*", ""
		return
	}
	raw = join(target.EscapedPath(), cut(raw, strip))
	path, err := url.PathUnescape(raw)
	if err != nil {
		path = raw
	}
	out.Path, out.RawPath = path, raw
	switch spelled := out.EscapedPath() == raw; {
	case spelled:
	case strings.HasPrefix(raw, "//"):
		out.RawPath = legal(raw) // as Opaque it would be taken for a host
	default:
		out.Opaque = raw // what net/url would spell in another way
	}
}

// legal percent-encodes what no path may hold (RFC 3986 section 3.3), and
// leaves the rest as it is.
func legal(path string) string {
	var b strings.Builder
	for i := range len(path) {
		if one := path[i : i+1]; strings.Contains("%/!$&'()*+,;=:@", one) {
			b.WriteString(one)
		} else {
			b.WriteString(url.PathEscape(one))
		}
	}
	return b.String()
}

// cut takes prefix, a path with or without a slash at its end, off path.
func cut(path, prefix string) string {
	rest, ok := cutPrefix(path, trimmed(prefix))
	if !ok || prefix == "" {
		return path
	}
	if !strings.HasPrefix(rest, "/") {
		return "/" + rest
	}
	return rest
}

// misshapen tells whether r, whose path is given, asks for what is no path: "*", which is for OPTIONS
// alone (RFC 9112 section 3.2.4), an address without a path such as a:b, and
// one with a space, which HTTP/2 can carry and which would end the path in a
// request line of HTTP/1.
func misshapen(r *http.Request, path string) bool {
	return strings.Contains(r.RequestURI, " ") || r.URL.Opaque != "" || path == "*" && r.Method != http.MethodOptions
}

// join puts a base path before a path that begins with a slash.
func join(base, path string) string { return trimmed(base) + path }

// under tells whether path is prefix or below it.
func under(path, prefix string) bool {
	rest, ok := cutPrefix(path, trimmed(prefix))
	return ok && (rest == "" || rest[0] == '/')
}

// cutPrefix is [strings.CutPrefix] for escaped paths, in which %c3 and %C3 are
// one octet, and %7E and ~ as well (RFC 3986 section 6.2.2).
func cutPrefix(path, prefix string) (rest string, ok bool) {
	if rest, ok = strings.CutPrefix(path, prefix); ok || !strings.Contains(path, "%") && !strings.Contains(prefix, "%") {
		return rest, ok
	}
	rest = path
	for prefix != "" {
		if rest == "" {
			return path, false
		}
		var a, b octet
		a, rest = cutOctet(rest)
		b, prefix = cutOctet(prefix)
		if a != b {
			return path, false
		}
	}
	return rest, true
}

// octet is a byte of a path.
type octet struct {
	value   byte
	encoded bool // where that means another thing: an encoded delimiter is none
}

// delimiters are the octets that mean another thing when they are encoded. The
// others of RFC 3986 section 2.2, !'()*, net/url encodes without need.
const delimiters = ":/?#[]@$&+,;=%"

func cutOctet(path string) (first octet, rest string) {
	if path[0] == '%' && len(path) > 2 {
		if n, err := strconv.ParseUint(path[1:3], 16, 8); err == nil {
			value := byte(n)
			return octet{value, strings.IndexByte(delimiters, value) >= 0}, path[3:]
		}
	}
	return octet{value: path[0]}, path[1:]
}

// ambiguous tells whether servers may read an escaped path in different ways:
// encoded slashes and backslashes, dot segments in any spelling, an encoded
// NUL, path parameters, and a '#', at which some end the path.
func ambiguous(escaped string) bool {
	if strings.ContainsAny(escaped, `;\#`) {
		return true
	}
	for segment := range strings.SplitSeq(escaped, "/") {
		decoded, err := url.PathUnescape(segment)
		if err != nil || decoded == "." || decoded == ".." || strings.ContainsAny(decoded, "/\\;\x00") {
			return true
		}
	}
	return false
}
