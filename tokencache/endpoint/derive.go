package endpoint

import (
	"cmp"
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"authproxy/internal/template"
)

// Value is a placeholder that is made of others for each request: a text, or the time of the
// request, which may be hashed or signed, and encoded. There is nothing else that it can do.
type Value struct {
	// Name is the placeholder's.
	Name string
	// Text is a template; it may hold the names of the values before this one.
	Text string
	// Time is a layout of package time; the time of the request then stands for Text.
	Time string
	// Zone is where Time is told; nil: UTC.
	Zone *time.Location
	// Hash is one of [Hashes], of the text; empty: none.
	Hash string
	// HMAC is one of [Hashes], by which the text is signed with Key (RFC 2104); empty: it is not.
	HMAC string
	// Key is the template of the key of HMAC.
	Key string
	// As is one of [Encodings]; empty: the text as it is, and hex of a hash or a signature.
	As string
}

// Hashes are the names of the hashes of a [Value].
func Hashes() []string { return []string{"md5", "sha1", "sha256", "sha512"} }

// Encodings are the names of the encodings of a [Value]. base64url has no padding (RFC 7515
// section 2); percent leaves the unreserved characters alone (RFC 3986 section 2.3); number
// is the text as a number, where the value is all of a member in JSON.
func Encodings() []string {
	return []string{"hex", "HEX", "base64", "base64url", "percent", "number"}
}

func newHash(name string) func() hash.Hash {
	switch name {
	case "md5":
		return md5.New
	case "sha1":
		return sha1.New
	case "sha256":
		return sha256.New
	case "sha512":
		return sha512.New
	}
	return nil
}

// derived is a compiled [Value].
type derived struct {
	Value
	text, key template.Template
	secret    bool            // it is made of one
	uses      map[string]bool // the placeholders that it is made of, and what those are made of
}

// deriver compiles the values of an [Endpoint].
type deriver struct {
	known  map[string]bool // the names that may stand in the next one
	secret map[string]bool // those that must not be shown
	done   map[string]derived
	faults []error
}

// compileValues compiles o.Values in their order.
func compileValues(o Options) (all []derived, faults []error) {
	d := &deriver{known: map[string]bool{}, secret: map[string]bool{"token": true, "refresh_token": true}, done: map[string]derived{}}
	for _, name := range slices.Concat(Reserved(), o.Secrets) {
		d.known[name] = true
	}
	for name := range o.Params {
		d.known[name] = true
	}
	for _, name := range o.Secrets {
		d.secret[name] = true
	}
	for _, v := range o.Values {
		one := d.compile(v)
		d.known[v.Name], d.secret[v.Name], d.done[v.Name] = true, one.secret, one
		all = append(all, one)
	}
	return all, d.faults
}

func (d *deriver) compile(v Value) derived {
	fault := func(format string, args ...any) {
		d.faults = append(d.faults, fmt.Errorf("values.%s: "+format, append([]any{v.Name}, args...)...))
	}
	one := derived{Value: v, text: template.Parse(v.Text), key: template.Parse(v.Key), uses: map[string]bool{}}
	if one.Zone == nil {
		one.Zone = time.UTC
	}
	for _, name := range slices.Concat(one.text.Names(), one.key.Names()) {
		if !d.known[name] {
			fault("unknown {%s}; a value may hold what stands before it", name)
		}
		one.secret = one.secret || d.secret[name]
		one.uses[name] = true
		for inner := range d.done[name].uses {
			one.uses[inner] = true
		}
	}
	switch {
	case (v.Text == "") == (v.Time == ""):
		fault("give text or time")
	case v.Hash != "" && v.HMAC != "":
		fault("give hash or hmac")
	case (v.HMAC == "") != (v.Key == ""):
		fault("hmac and key belong together")
	case cmp.Or(v.Hash, v.HMAC) != "" && newHash(cmp.Or(v.Hash, v.HMAC)) == nil:
		fault("%q is none of %s", cmp.Or(v.Hash, v.HMAC), strings.Join(Hashes(), ", "))
	case v.As != "" && !slices.Contains(Encodings(), v.As):
		fault("%q is none of %s", v.As, strings.Join(Encodings(), ", "))
	case v.As == "number" && cmp.Or(v.Hash, v.HMAC) != "":
		fault("a hash is no number")
	}
	return one
}

// isNumber says whether the value stands in JSON as a number.
func (d derived) isNumber() bool { return d.As == "number" }

// number is a number of JSON (RFC 8259 section 6).
var numberRule = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// asNumber returns text as a number.
func asNumber(text string) (json.Number, error) {
	if !numberRule.MatchString(text) {
		return "", errors.New("a value that is to be a number in the JSON body is none")
	}
	return json.Number(text), nil
}

// make returns the value for a request that is sent at sent, with v.
func (d derived) make(v values, sent time.Time) string {
	text := d.text.Fill(v.of)
	if d.Time != "" {
		text = sent.In(d.Zone).Format(d.Time)
	}
	as := d.As
	switch {
	case d.Hash != "":
		h := newHash(d.Hash)()
		h.Write([]byte(text))
		text, as = string(h.Sum(nil)), cmp.Or(as, "hex")
	case d.HMAC != "":
		h := hmac.New(newHash(d.HMAC), []byte(d.key.Fill(v.of)))
		h.Write([]byte(text))
		text, as = string(h.Sum(nil)), cmp.Or(as, "hex")
	}
	return encodeAs(text, as)
}

func encodeAs(text, as string) string {
	switch as {
	case "hex":
		return hex.EncodeToString([]byte(text))
	case "HEX":
		return strings.ToUpper(hex.EncodeToString([]byte(text)))
	case "base64":
		return base64.StdEncoding.EncodeToString([]byte(text))
	case "base64url":
		return base64.RawURLEncoding.EncodeToString([]byte(text))
	case "percent":
		return strings.ReplaceAll(url.QueryEscape(text), "+", "%20")
	}
	return text
}
