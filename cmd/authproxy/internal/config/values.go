package config

import (
	"time"
	_ "time/tzdata" // for a machine or an image without them

	"authproxy/cmd/authproxy/internal/config/tree"
	"authproxy/internal/template"
)

// Value is a placeholder that is made of others for each request: Text, or the time of the request in the
// layout Time of package time, as it is told in Zone; hashed by Hash, or signed by HMAC with Key; encoded as As.
// Text and Key are templates, which may hold other values.
type Value struct {
	Name string
	Text string `yaml:"text"`
	Time string `yaml:"time"`
	Zone string `yaml:"zone"`
	Hash string `yaml:"hash" oneof:"{hash}"`
	HMAC string `yaml:"hmac" oneof:"{hash}"`
	Key  string `yaml:"key"`
	As   string `yaml:"as" oneof:"{encoding}"`
}

// Location is that of Zone; UTC when there is none.
func (v Value) Location() *time.Location { return zoneOf(v.Zone) }

// zoneOf is the time zone of that name of the IANA; UTC for "", and where there is none.
func zoneOf(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

const zoneFix = "write one of the names of the IANA, such as Asia/Shanghai"

// Values stand in an order in which they can be made; their names are unique.
type Values []Value

func (v *Values) read(p *parser, n *tree.Node) {
	if !p.faults.IsMapping(n) {
		return
	}
	for _, e := range n.Entries {
		if !p.faults.HasKeys(e.Value) {
			continue
		}
		one := Value{Name: e.Name}
		p.fill(e.Value, &one)
		p.checkValue(e.Value, one)
		*v = append(*v, one)
	}
}

// checkValue looks at what one key of a value means for another.
func (p *parser) checkValue(n *tree.Node, v Value) {
	hashed := v.Hash != "" || v.HMAC != ""
	switch zone := n.Get("zone"); {
	case n.Get("text") != nil && n.Get("time") != nil:
		p.fault(n.Get("time"), "stands beside text", "give one of the two; a later value may hold both by their names")
	case v.Text == "" && v.Time == "":
		p.fault(n.Missing("text", tree.Scalar), missing, "write a text with placeholders, or time: and a layout such as \"2006-01-02 15:04:05\"")
	case v.Hash != "" && v.HMAC != "":
		p.fault(n.Get("hmac"), "stands beside hash", "give one of the two; a later value may hash this one")
	case v.HMAC != "" && v.Key == "":
		p.fault(n.Missing("key", tree.Scalar), missing, "hmac signs with it: write {client_secret}, or the name of another secret")
	case v.HMAC == "" && v.Key != "":
		p.fault(n.Get("key"), "has no effect without hmac", "write hmac: and the name of a hash, or remove it")
	case v.As == "number" && hashed:
		p.fault(n.Get("as"), "a hash is no number", "write as: hex or base64")
	case zone != nil && v.Time == "":
		p.fault(zone, "has no effect without time", "remove it")
	case v.Zone != "" && v.Location().String() != v.Zone:
		p.fault(zone, zone.Quote()+" is not a time zone", zoneFix)
	case v.Time != "" && layoutOf(v.Time) == v.Time:
		p.warn(n.Get("time"), "is a text without a time in it", "write how 15:04:05 on the 2nd of January 2006 would be written: 2006-01-02 15:04:05")
	}
}

// layoutOf is a moment in that layout, at which no part of it is what the layout says.
func layoutOf(layout string) string {
	return time.Date(1999, 11, 28, 22, 38, 49, 123456789, time.FixedZone("XXT", 5*3600)).Format(layout)
}

// valueNames notes the names of the values of the merged token n, and checks what stands in them.
func (s *params) valueNames(n *tree.Node, used map[string]bool) {
	for _, e := range n.Child("values").Entries {
		s.newName(e)
		known := s.names()
		for _, key := range []string{"text", "key"} {
			if leaf := e.Value.Get(key); leaf != nil && leaf.Kind == tree.Scalar {
				s.inValue(leaf, known, n.Child("values"), used)
			}
		}
		s.made = append(s.made, e.Name)
	}
}

// inValue checks the template leaf of one of values, which may hold what is known so far.
func (s *params) inValue(leaf *tree.Node, known []string, values *tree.Node, used map[string]bool) {
	s.p.almostPlaceholders(leaf, known)
	for _, name := range template.Parse(leaf.Text).Names() {
		switch {
		case contains(known, name) || s.open:
		case values.Get(name) != nil:
			s.p.fault(leaf, "holds {"+name+"}, which is made of this value in turn", "take one of the two out")
		default:
			s.p.unknownName(leaf, name, known)
		}
		used[name] = true
	}
}

// newName records a fault where the name of a secret or of a value cannot be a placeholder of its own.
func (s *params) newName(e tree.Entry) {
	at := &tree.Node{File: e.Value.File, Line: e.Line, Path: e.Value.Path}
	switch {
	case !template.IsName(e.Name):
		s.p.fault(at, "is not a name for a placeholder", "use lower-case letters, digits and '_'")
	case contains(s.names(), e.Name), e.Name == givenName:
		s.p.fault(at, "is the name of something else", "choose another one: {"+e.Name+"} has a meaning already")
	}
}

// ordered brings the values of the merged token n into an order in which each stands behind those that it holds,
// whatever the order in the file: tools that write YAML sort the keys of a mapping. What is in a circle is left as
// it is, which shows as a fault.
func ordered(n *tree.Node) *tree.Node {
	values := n.Get("values")
	if values == nil || values.Kind != tree.Mapping {
		return n
	}
	out := *values
	out.Entries = nil
	placed := map[string]bool{}
	for len(out.Entries) < len(values.Entries) {
		before := len(out.Entries)
		for _, e := range values.Entries {
			if !placed[e.Name] && !holdsLater(e.Value, values, placed) {
				placed[e.Name] = true
				out.Entries = append(out.Entries, e)
			}
		}
		if len(out.Entries) == before { // the rest is a circle, or hangs on one
			for _, e := range values.Entries {
				if !placed[e.Name] {
					out.Entries = append(out.Entries, e)
				}
			}
		}
	}
	return n.With("values", &out)
}

// holdsLater says whether the value n holds one of values that is not placed yet.
func holdsLater(n, values *tree.Node, placed map[string]bool) bool {
	for _, key := range []string{"text", "key"} {
		leaf := n.Get(key)
		if leaf == nil || leaf.Kind != tree.Scalar {
			continue
		}
		for _, name := range template.Parse(leaf.Text).Names() {
			if values.Get(name) != nil && !placed[name] {
				return true
			}
		}
	}
	return false
}
