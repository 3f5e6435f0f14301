package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"unicode"
	"unique"

	"authproxy/cmd/authproxy/internal/config/tree"
)

const hidden = "<secret>"

// maxSecret is the size in bytes of the largest secret file that is read.
const maxSecret = 64 << 10

// Secret is a value that never shows: whatever prints or encodes it gets "<secret>". Two Secrets are
// equal when they stand for the same value, or the same file. The zero Secret is empty.
type Secret struct {
	file   string
	member string                // the JSON path of the value in the file; empty: the whole file
	lines  bool                  // the file may hold more than one
	inline unique.Handle[string] // a pointer, so that no dump of a struct shows the value
}

func inlineSecret(value string) Secret { return Secret{inline: unique.Make(value)} }

func (Secret) keys(own string) []string { return []string{own} }

// IsZero says whether no value and no file was given.
func (s Secret) IsZero() bool { return s == Secret{} }

// File returns the path of the file that holds the secret, or "" when it stands in the configuration.
func (s Secret) File() string { return s.file }

// Read returns the secret. One in a file is read at each call, and the white space around it is
// trimmed; an empty file and one that looks like dotenv are errors. An error names the file and what
// to do, never content.
func (s Secret) Read() (string, error) {
	if s.file == "" {
		if s.IsZero() {
			return "", nil
		}
		return s.inline.Value(), nil
	}
	value, err := s.readFile()
	if err != nil {
		return "", fmt.Errorf("secret file %s: %w", s.file, err)
	}
	return value, nil
}

func (s Secret) readFile() (string, error) {
	if s.member != "" {
		return readMember(s.file, s.member)
	}
	return readSecret(s.file, s.lines)
}

var errEmptySecret = errors.New("is empty; write the secret and nothing else into it")
var errDotenv = errors.New("holds a line NAME=value; write only the value into it")
var errControl = errors.New("holds more than one line, or control characters; write only the value into it")
var errLargeSecret = fmt.Errorf("is larger than %d KiB; is it the right file?", maxSecret>>10)

func readSecret(file string, lines bool) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", unreadable(err)
	}
	defer f.Close() // nothing was written
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", unreadable(err)
	}
	value := strings.TrimSpace(strings.TrimPrefix(string(data), "\ufeff"))
	switch {
	case len(data) > maxSecret:
		return "", errLargeSecret
	case value == "":
		return "", errEmptySecret
	case looksLikeDotenv(value):
		return "", errDotenv
	case !lines && strings.ContainsFunc(value, unicode.IsControl):
		return "", errControl
	}
	return value, nil
}

// unreadable says why a file could not be read, and by whom.
func unreadable(err error) error {
	if errors.Is(err, fs.ErrPermission) && os.Getuid() >= 0 {
		return fmt.Errorf("cannot be read by uid %d, as which this runs (%w); let that user read it, and enter the folders above", os.Getuid(), reason(err))
	}
	return fmt.Errorf("cannot be read (%w); check path and permissions", reason(err))
}

// reason returns the system's word on a failed file operation, without the path.
func reason(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

var dotenvLine = regexp.MustCompile(`^(?:export\s+)?([A-Z_][A-Z0-9_]*)=(.*)$`)

// looksLikeDotenv says whether value is one line NAME=value. Trailing padding of base32 and base64 is
// no value.
func looksLikeDotenv(value string) bool {
	m := dotenvLine.FindStringSubmatch(value)
	return m != nil && (strings.Trim(m[2], "=") != "" || strings.Contains(m[1], "_"))
}

// Format prints "<secret>" for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// String returns "<secret>".
func (s Secret) String() string { return hidden }

// LogValue logs "<secret>".
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText encodes "<secret>", also in JSON and as a map key.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalYAML encodes "<secret>".
func (s Secret) MarshalYAML() (any, error) { return hidden, nil }

// secret reads the member name of n, or the file named by its _file twin, and checks what it finds.
// ok is false when neither is there.
func (p *parser) secret(n *tree.Node, name string) (s Secret, ok bool) {
	value, file := n.Get(name), n.Get(name+"_file")
	switch {
	case value != nil && file != nil:
		p.fault(file, "stands beside "+name, "give one of the two")
	case value != nil && value.Kind == tree.Scalar && value.Text != "":
		if strings.ContainsFunc(value.Text, unicode.IsControl) {
			p.fault(value, "holds more than one line, or control characters", "write only the value, without a line break at its end")
		}
		p.inlineDoubts(value, name+"_file: PATH", IsConfidential(name))
		return inlineSecret(value.Text), true
	case value != nil:
		p.badText(value, "is empty", "give a value, or a file in "+name+"_file")
	case file != nil && file.Kind == tree.Scalar && file.Text != "":
		return p.secretFile(file), true
	case file != nil:
		p.badText(file, "is empty", "give the path of a file")
	default:
		return Secret{}, false
	}
	return Secret{}, true
}

func (p *parser) secretFile(n *tree.Node) Secret {
	s := Secret{file: p.resolvePath(n.Text)}
	value, err := readSecret(s.file, false)
	if err != nil {
		what, fix, _ := strings.Cut(err.Error(), "; ")
		p.fault(n, "the file "+s.file+" "+what, fix)
		return s
	}
	if notFilledIn.MatchString(value) {
		p.warn(n, "what the file holds "+toFillIn, "write the value itself into "+s.file)
	}
	p.isMisquoted(n, value, "what the file holds")
	p.guarded(n, s.file)
	return s
}

// badText records that n is not a single value, or else what.
func (p *parser) badText(n *tree.Node, what, fix string) {
	if n.Kind == tree.List || n.Kind == tree.Mapping {
		what = "must be a single value, not " + n.Kind.String()
	}
	p.fault(n, what, fix)
}
