package config

import (
	"slices"
	"strings"
)

// pen writes a [Draft].
type pen struct {
	strings.Builder
	Draft
	inFiles bool     // where secrets stand
	open    []string // the keys around the last value of the token or the upstream
}

// about says what keys are for that are no preset's.
func about(key string) string {
	return map[string]string{
		"token_url": "where tokens are asked for",
		"url":       "the base URL of the platform's API; the path of a request is put behind it",
	}[key]
}

// write writes the sketch down, with what the notes of its preset tell.
func (s *sketch) write(n notes, inFiles bool) Draft {
	p := &pen{inFiles: inFiles}
	for _, line := range n.about {
		p.line(strings.TrimSuffix("# "+line, " "))
	}
	p.line("#", "# Each value below a line with FILL IN is to be replaced. All that the preset says:", "# authproxy presets "+s.name, "")
	p.line("listen: 127.0.0.1:8080         # where the application calls, without credentials")
	p.line("admin:", `  listen: 127.0.0.1:9090       # status page, probes and metrics; "": none`, "")
	p.line("tokens:", "  "+s.name+":", "    provider: "+s.name)
	p.params(s, n)
	for _, w := range s.asked {
		if w.block != firstUpstream && w.keys[0] != "params" {
			p.nested(w)
		}
	}
	if n.scoped {
		p.line("    # as the platform asks:", "    # scopes: [your-scope]")
	}
	p.line("", "upstreams:", "  - name: "+s.name, "    token: "+s.name)
	for _, w := range s.asked {
		if w.block == firstUpstream {
			p.nested(w)
		}
	}
	p.Text = p.String()
	return p.Draft
}

func (p *pen) line(lines ...string) {
	for _, line := range lines {
		p.WriteString(line + "\n")
	}
}

// params writes the params of the preset: those that have to be given, and in comments those that can be.
func (p *pen) params(s *sketch, n notes) {
	if len(n.params) > 0 {
		p.line("    params:")
	}
	for _, param := range n.params {
		i := slices.IndexFunc(s.asked, func(w wish) bool { return slices.Equal(w.keys, []string{"params", param.name}) })
		if i >= 0 {
			p.wish(s.asked[i], "      ", param.lines)
			continue
		}
		for _, line := range param.lines {
			p.line("      # " + line)
		}
		value := yours(param.name)
		if isURL(param.def) {
			value = yourURL
		}
		if param.def != "" {
			p.line("      # by default " + param.def)
		}
		p.line("      # " + param.name + ": " + value)
	}
}

// nested writes a value below the keys around it.
func (p *pen) nested(w wish) {
	indent := "    "
	for depth, key := range w.keys[:len(w.keys)-1] {
		if depth >= len(p.open) || p.open[depth] != key {
			p.open = append(p.open[:depth:depth], key)
			p.line(indent + key + ":")
		}
		indent += "  "
	}
	p.open = w.keys[:len(w.keys)-1]
	p.wish(w, indent, nil)
}

// wish writes a value to fill in, or where a secret stands, behind what is known about it.
func (p *pen) wish(w wish, indent string, known []string) {
	name := strings.TrimSuffix(w.key(), "_file")
	if w.isFile() || IsConfidential(name) {
		p.secret(indent, name, strings.TrimPrefix(w.block, "tokens."))
		return
	}
	p.FillIn = append(p.FillIn, w.key())
	if what := about(w.key()); what != "" {
		known = append(known, what)
	}
	text := strings.Join(known, "; ")
	if w.instead != "" && !strings.Contains(text, w.instead) {
		text = strings.TrimPrefix(text+"; or give "+w.instead+" instead", "; ")
	}
	p.line(strings.TrimSuffix(indent+"# FILL IN: "+text, ": "), indent+w.key()+": "+w.value)
}

// secret writes where a secret of the token stands.
func (p *pen) secret(indent, name, token string) {
	one := Wanted{Credential: name, Value: yours(name)}
	if p.inFiles {
		one.File = SecretFolder + "/" + token + "_" + name
		p.line(indent+"# a file, seen from the folder of this one, with the value and nothing else; mode 0600",
			indent+name+"_file: "+one.File)
	} else {
		one.Variable = strings.ToUpper(strings.ReplaceAll(token+"_"+name, "-", "_"))
		p.line(indent+"# from the environment; or from a file with the value and nothing else: "+name+"_file: FILE",
			indent+name+": ${"+one.Variable+":-"+one.Value+"}")
	}
	p.Secrets = append(p.Secrets, one)
}
