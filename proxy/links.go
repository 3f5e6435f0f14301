package proxy

import "strings"

// rewriteLinks rewrites the targets of links (RFC 8288 section 3) by local, and
// leaves the rest of the field byte for byte, also what is no link.
func rewriteLinks(field string, local func(address string) string) string {
	var out strings.Builder
	targets := true // there may be more of them; without it, each < would have the rest looked through
	for field != "" {
		link := strings.TrimLeft(field, " \t,")
		out.WriteString(field[:len(field)-len(link)])
		if targets && strings.HasPrefix(link, "<") {
			end := strings.IndexByte(link, '>')
			if targets = end > 0; targets {
				out.WriteString("<" + local(link[1:end]))
				link = link[end:]
			}
		}
		end := endOfLink(link)
		out.WriteString(link[:end])
		field = link[end:]
	}
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
