package tree

import (
	"regexp"
	"strings"
)

// Variable is the regular expression of a variable of the environment: ${NAME} or ${NAME:-default}.
const Variable = `\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}`

var variable = regexp.MustCompile("^" + Variable)

// expand fills ${NAME} and ${NAME:-default} in s from the environment; $${ stands for ${ itself. As in
// a shell, the default also replaces a variable that is set but empty. What is filled in is not looked
// at again. n is where s stands.
func (r *reader) expand(s string, n *Node) string {
	var out strings.Builder
	for {
		at := strings.Index(s, "${")
		if at < 0 {
			out.WriteString(s)
			return out.String()
		}
		if at > 0 && s[at-1] == '$' {
			out.WriteString(s[:at-1] + "${")
			s = s[at+2:]
			continue
		}
		out.WriteString(s[:at])
		m := variable.FindStringSubmatch(s[at:])
		if m == nil {
			n.Bad = true
			r.fault(n.Line, n.Path, "${ does not begin the name of an environment variable here",
				"write ${NAME} or ${NAME:-default}, or $${ for ${ itself")
			return out.String()
		}
		out.WriteString(r.variable(m[1], m[2] != "", m[3], n))
		s = s[at+len(m[0]):]
	}
}

func (r *reader) variable(name string, hasDefault bool, def string, n *Node) string {
	value, set := r.env(name)
	switch {
	case hasDefault && value == "":
		return def
	case !set:
		n.Bad = true
		r.fault(n.Line, n.Path, "environment variable "+name+" is not set",
			"set it, or write ${"+name+":-default}")
	}
	return value
}
