package refusal

import "strings"

// tokenIsGood tells whether one of the challenges says that another token
// would be refused as well: insufficient_scope or invalid_request, RFC 6750
// section 3.1.
func tokenIsGood(challenges []string) bool {
	for _, c := range challenges {
		for rest := c; rest != ""; {
			var name, value string
			name, value, rest = nextParam(rest)
			if strings.EqualFold(name, "error") && (value == "insufficient_scope" || value == "invalid_request") {
				return true
			}
		}
	}
	return false
}

// nextParam takes the next auth-param (RFC 9110 section 11.2) off s. Words
// that are none, such as the scheme, come as a name without a value.
func nextParam(s string) (name, value, rest string) {
	s = strings.TrimLeft(s, " \t,")
	end := strings.IndexAny(s, " \t,=")
	if end < 0 {
		return s, "", ""
	}
	name, rest = s[:end], strings.TrimLeft(s[end:], " \t")
	if !strings.HasPrefix(rest, "=") {
		return name, "", rest
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if strings.HasPrefix(rest, `"`) {
		value, rest = quoted(rest[1:])
		return name, value, rest
	}
	end = strings.IndexAny(rest, " \t,")
	if end < 0 {
		return name, rest, ""
	}
	return name, rest[:end], rest[end:]
}

// quoted reads a quoted-string whose opening quote has been taken off.
func quoted(s string) (value, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}
