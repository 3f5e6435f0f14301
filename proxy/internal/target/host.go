package target

import (
	"net"
	"strings"
)

// Hostname returns the name in a Host field, in lower case and without port.
func Hostname(host string) string {
	if strings.IndexByte(host, ':') >= 0 {
		if name, _, err := net.SplitHostPort(host); err == nil {
			return strings.ToLower(name)
		}
	}
	if n := len(host); n > 1 && host[0] == '[' && host[n-1] == ']' {
		host = host[1 : n-1]
	}
	return strings.ToLower(host)
}
