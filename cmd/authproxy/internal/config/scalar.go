package config

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/httpsyntax"
)

func contains(names []string, name string) bool { return slices.Contains(names, name) }

// text reads a value as it is written: 007 and true are text as good as any. Nothing is empty text.
func (p *parser) text(n *tree.Node, tag reflect.StructTag, v reflect.Value) {
	choice, isChoice := tag.Lookup("oneof")
	mend := tag.Get("fix")
	choices := p.words.choices(choice)
	if isChoice {
		mend = "write " + strings.Join(choices, " or ")
	}
	if n.Kind != tree.Null && !p.faults.Single(n, cmp.Or(mend, "write one value")) {
		return
	}
	v.SetString(n.Text)
	if isChoice && !contains(choices, n.Text) {
		p.fault(n, n.Quote()+" is not possible here", mend)
	}
	for _, rule := range strings.Split(tag.Get("rule"), ",") {
		if what, fix := p.rule(rule, n.Text); what != "" {
			p.fault(n, what, cmp.Or(mend, fix))
			return
		}
	}
}

// rule checks s and returns what is wrong with it and how to mend it.
func (p *parser) rule(name, s string) (what, fix string) {
	switch {
	case (name == "required" || name == "nonempty") && s == "":
		return "is empty", "remove it"
	case name == "name" && !nameRule.MatchString(s):
		return "is not a name", "use up to 63 letters, digits, '.', '_' and '-', a letter or digit first"
	case name == "header" && !httpsyntax.IsToken(s):
		return "is not the name of a header", headerFix
	case name == "upgrade" && !httpsyntax.IsToken(s):
		return "is not an Upgrade value", "write [websocket]"
	case name == "upgrade" && strings.EqualFold(s, "h2c"):
		return "h2c is never upgraded to", "remove it"
	case name == "method" && (!httpsyntax.IsToken(s) || strings.ToUpper(s) != s):
		return "is not a method", "write it in capitals, such as GET or POST"
	case name == "pattern" && !isPattern(s):
		return "is not a pattern of a path", "write it decoded and from its first slash on: * stands for one whole segment, ** at the end for any rest, such as /api/*/items/**"
	case name == "cipher" && strings.HasPrefix(s, "TLS_") && !strings.Contains(s, "_WITH_"):
		return s + " is one of TLS 1.3, which cannot be chosen", "remove it"
	case name == "cipher" && !contains(cipherSuites(), s):
		return "is no cipher suite that there is here", tree.Suggest(s, "cipher suites", cipherSuites())
	case name == "line" && !isLine(s):
		return "holds control characters", "write one line of text"
	}
	return "", ""
}

const headerFix = "write it as it stands in a request, such as X-Request-Id"

var nameRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

func isPattern(s string) bool {
	_, ok := httpsyntax.ParsePattern(s)
	return ok
}

// isLine says whether s can be the value of a header.
func isLine(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

func (p *parser) boolean(n *tree.Node) bool {
	const fix = "write true or false"
	if !p.faults.Single(n, fix) {
		return false
	}
	if n.Text != "true" && n.Text != "false" {
		p.fault(n, n.Quote()+" is neither true nor false", fix)
	}
	return n.Text == "true"
}

func (p *parser) integer(n *tree.Node, tag reflect.StructTag, v reflect.Value) {
	rule, fix := tag.Get("rule"), "write a whole number such as 256"
	switch rule {
	case "uid":
		fix = "write the number that `id -u NAME` prints"
	case "status":
		fix = "write one from 100 to 599"
	}
	if !p.faults.Single(n, fix) {
		return
	}
	i, err := strconv.Atoi(n.Text)
	switch {
	case errors.Is(err, strconv.ErrRange):
		p.fault(n, n.Quote()+" is out of range", fix)
	case err != nil:
		p.fault(n, n.Quote()+" is not a whole number", fix)
	case rule == "positive" && i < 1:
		p.fault(n, "must be more than 0", fix)
	case rule == "status" && (i < 100 || i > 599):
		p.fault(n, n.Quote()+" is not an HTTP status", fix)
	case rule == "uid" && (i < 0 || int64(i) >= math.MaxUint32):
		p.fault(n, n.Quote()+" is not the number of a user", fix)
	}
	v.SetInt(int64(i))
}

func (p *parser) duration(n *tree.Node, tag reflect.StructTag, out *time.Duration) {
	const fix = "write a number with its unit, such as 500ms, 10s, 1m30s or 24h"
	if !p.faults.Single(n, fix) {
		return
	}
	d, err := time.ParseDuration(n.Text)
	switch {
	case err != nil:
		p.fault(n, n.Quote()+" is not a duration", fix)
	case d < 0:
		p.fault(n, "must not be negative", fix)
	case d == 0 && tag.Get("rule") == "positive":
		p.fault(n, "must be more than 0", fix)
	}
	*out = d
}

var sizeRule = regexp.MustCompile(`^([0-9]{1,18}) ?(|B|KiB|MiB|GiB)$`)

// size reads a number of bytes.
func (p *parser) size(n *tree.Node, tag reflect.StructTag, out *int64) {
	const fix = "write bytes as a whole number, or with KiB, MiB or GiB, such as 64KiB"
	if !p.faults.Single(n, fix) {
		return
	}
	m := sizeRule.FindStringSubmatch(n.Text)
	if m == nil {
		p.fault(n, n.Quote()+" is not a size", fix)
		return
	}
	count, _ := strconv.ParseInt(m[1], 10, 64)
	unit := map[string]int64{"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}[m[2]]
	if count > math.MaxInt64/unit {
		p.fault(n, n.Quote()+" is too large", fix)
		return
	}
	*out = count * unit
	if tag.Get("rule") == "head" && (*out < minHead || *out > maxHead) {
		p.fault(n, n.Quote()+" is no size for the head of a request", "write one from 1KiB to 16MiB, such as 128KiB")
	}
}

// What max_header may be: net/http takes 0 for a limit of its own, and less than a small
// head would refuse every request.
const (
	minHead = 1 << 10
	maxHead = 16 << 20
)

// jsonOf reads any value the way JSON has it: mappings, lists, strings, numbers as json.Number, booleans.
// What holds an environment variable is a string.
func jsonOf(n *tree.Node, faults *tree.Faults) any {
	switch n.Kind {
	case tree.Mapping:
		out := map[string]any{}
		for _, e := range n.Entries {
			out[e.Name] = jsonOf(e.Value, faults)
		}
		return out
	case tree.List:
		out := []any{}
		for _, item := range n.Items {
			out = append(out, jsonOf(item, faults))
		}
		return out
	case tree.Scalar:
		return jsonLeaf(n, faults)
	}
	return nil
}

func jsonLeaf(n *tree.Node, faults *tree.Faults) any {
	switch n.Tag {
	case "!!bool":
		return strings.EqualFold(n.Text, "true")
	case "!!int", "!!float":
		if !json.Valid([]byte(n.Text)) {
			faults.Add(n, n.Quote()+" is not a number in JSON", "quote it, or write it with decimal digits")
		}
		return json.Number(n.Text)
	}
	return n.Text
}
