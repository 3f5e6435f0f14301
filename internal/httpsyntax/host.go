package httpsyntax

import (
	"net/netip"
	"strconv"
	"strings"
)

// Hostname returns what the Host field of a request names, in the form in which
// hosts compare: without port, in lower case, without one final dot, and an
// address in the one spelling of RFC 5952, without brackets. A Host that is
// malformed, such as localhost:evil, comes back as it is, with its port: it is
// equal to no host.
func Hostname(host string) string {
	name, ok := cutPort(host)
	if !ok {
		return strings.ToLower(host)
	}
	bracketed := name != "" && name[0] == '['
	if bracketed {
		name = name[1 : len(name)-1]
	}
	if !bracketed && strings.IndexByte(name, ':') < 0 {
		return strings.ToLower(trimDot(name)) // which is the only spelling of an IPv4 address
	}
	address, err := netip.ParseAddr(name)
	switch {
	case err != nil || address.Is4() || address.Zone() != "": // a zone is not for the other side (RFC 6874 section 1)
		return strings.ToLower(host)
	case name == "::1":
		return name
	default:
		return address.Unmap().String()
	}
}

// trimDot returns the name of a host without its final dot, which says that the
// name is whole (RFC 1034 section 3.1). A name of two dots at its end is none.
func trimDot(name string) string {
	if whole := strings.TrimSuffix(name, "."); whole != "" && !strings.HasSuffix(whole, ".") {
		return whole
	}
	return name
}

// cutPort takes the port off a Host field (RFC 3986 section 3.2.3). It reports
// false where what stands behind the colon is none, or a bracket has no partner.
func cutPort(host string) (name string, ok bool) {
	at := strings.LastIndexByte(host, ':')
	end := strings.LastIndexByte(host, ']')
	switch {
	case host != "" && host[0] == '[':
		if end < 0 || end < len(host)-1 && at != end+1 {
			return "", false
		}
	case end >= 0:
		return "", false
	case at != strings.IndexByte(host, ':'): // an address without brackets, as configurations have it
		_, err := netip.ParseAddr(host)
		return host, err == nil
	}
	if at <= end {
		return host, true
	}
	return host[:at], isPort(host[at+1:])
}

// isPort tells whether text is a port, or empty, which stands for the scheme's.
func isPort(text string) bool {
	if strings.Trim(text, "0123456789") != "" {
		return false
	}
	_, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil
}
