package proxy

import "strings"

// rewriteLinks rewrites the targets of links (RFC 8288 section 3) by local, and
// leaves the rest of the field byte for byte, also all that follows what is no link.
func rewriteLinks(field string, local func(address string) string) string {
	var out strings.Builder
	for {
		start := strings.IndexByte(field, '<')
		if start < 0 || strings.Trim(field[:start], " \t,") != "" {
			break
		}
		size := strings.IndexByte(field[start:], '>')
		if size < 0 {
			break
		}
		out.WriteString(field[:start+1])
		out.WriteString(local(field[start+1 : start+size]))
		field = field[start+size:]
		end := endOfLink(field)
		out.WriteString(field[:end])
		field = field[end:]
	}
	out.WriteString(field)
	return out.String()
}

// endOfLink returns where the comma behind the parameters of a link stands, or the
// field ends. In quotes it may have others.
func endOfLink(params string) int {
	quoted := false
	for i := 0; i < len(params); i++ {
		switch c := params[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == ',' && !quoted:
			return i
		}
	}
	return len(params)
}
