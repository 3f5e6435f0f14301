package target

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// SentPath returns the path of the request line as it was sent.
func SentPath(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if path == "" {
		return r.URL.EscapedPath()
	}
	if path[0] == '/' || path == "*" {
		return path
	}
	if _, rest, ok := strings.Cut(path, "://"); ok { // absolute-form, RFC 9112 section 3.2.2
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			return rest[i:]
		}
		return "/"
	}
	return r.URL.EscapedPath()
}

// escaped returns the path as it stands in the request line.
func (p Path) escaped() string {
	u := url.URL{Path: p.Path, RawPath: p.RawPath, Opaque: p.Opaque}
	return u.RequestURI()
}

// spell returns an escaped path in the fields of [url.URL], so that it goes out
// byte for byte.
func spell(raw string) Path {
	if isPlain(raw) {
		return Path{Path: raw, RawPath: raw}
	}
	path, err := url.PathUnescape(raw)
	if err != nil {
		path = raw
	}
	u := url.URL{Path: path, RawPath: raw}
	switch spelled := u.EscapedPath() == raw; {
	case spelled:
		return Path{Path: path, RawPath: raw}
	case strings.HasPrefix(raw, "//"):
		return Path{Path: path, RawPath: legal(raw)} // as Opaque it would be taken for a host
	default:
		return Path{Path: path, RawPath: raw, Opaque: raw} // what net/url would spell in another way
	}
}

// isPlain tells whether path holds only what may stand in an escaped path (RFC
// 3986 section 3.3), and nothing encoded.
func isPlain(path string) bool {
	for i := range len(path) {
		switch c := path[i]; {
		case '&' <= c && c <= ';', '@' <= c && c <= 'Z', 'a' <= c && c <= 'z', c == '_', c == '~', c == '$', c == '!', c == '=':
		default:
			return false
		}
	}
	return true
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
	rest, ok := cutPrefix(path, TrimSlash(prefix))
	if !ok {
		return path
	}
	if !strings.HasPrefix(rest, "/") {
		return "/" + rest
	}
	return rest
}

// TrimSlash returns path without a slash at its end.
func TrimSlash(path string) string { return strings.TrimSuffix(path, "/") }

// Under tells whether path is prefix or below it. Both are percent-encoded, and
// may be so in different ways.
func Under(path, prefix string) bool {
	_, ok := Cut(path, prefix)
	return ok
}

// Cut takes prefix off a path that is [Under] it. What remains is empty or begins
// with a slash.
func Cut(path, prefix string) (rest string, ok bool) {
	rest, ok = cutPrefix(path, TrimSlash(prefix))
	return rest, ok && (rest == "" || rest[0] == '/')
}

// Resolve takes the dot segments out of a path that begins with a slash (RFC 3986
// section 5.2.4), and leaves the rest byte for byte. Encoded ones stay.
func Resolve(path string) string {
	if !strings.Contains(path, "/.") {
		return path
	}
	segments := strings.Split(path[1:], "/")
	out := make([]string, 0, len(segments))
	for i, segment := range segments {
		if segment != "." && segment != ".." {
			out = append(out, segment)
			continue
		}
		if segment == ".." {
			out = out[:max(0, len(out)-1)]
		}
		if i == len(segments)-1 {
			out = append(out, "") // "/a/." is "/a/"
		}
	}
	return "/" + strings.Join(out, "/")
}

// cutPrefix is [strings.CutPrefix] for escaped paths, in which %c3 and %C3 are
// one octet, and %7E and ~ as well (RFC 3986 section 6.2.2).
func cutPrefix(path, prefix string) (rest string, ok bool) {
	if rest, ok = strings.CutPrefix(path, prefix); ok || strings.IndexByte(path, '%') < 0 && strings.IndexByte(prefix, '%') < 0 {
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
