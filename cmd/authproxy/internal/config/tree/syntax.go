package tree

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

var syntaxError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
var unknownAnchor = regexp.MustCompile(`^yaml: unknown anchor '(.*)' referenced$`)

// syntax records what yaml.v3 says about text that is no YAML. The name of an unknown anchor stays out:
// it may be a password that begins with '*'.
func (r *reader) syntax(err error, data []byte) {
	if errors.Is(err, io.EOF) {
		r.fault(1, "", "the file is empty", "config.example.yaml shows every key")
		return
	}
	if m := unknownAnchor.FindStringSubmatch(err.Error()); m != nil {
		before, _, _ := bytes.Cut(data, []byte("*"+m[1]))
		r.fault(bytes.Count(before, []byte("\n"))+1, "", "an alias of an anchor that is not defined",
			"quote a value that begins with *")
		return
	}
	line, text := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := syntaxError.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	line, at := brokenLine(data, max(line, 1))
	indent := at[:len(at)-len(bytes.TrimLeft(at, " \t"))]
	switch {
	case bytes.ContainsRune(indent, '\t'):
		r.fault(line, "", "a tab in the indentation", "indent with spaces")
	case !utf8.Valid(at) || bytes.ContainsFunc(at, func(c rune) bool { return c < ' ' && c != '\t' }):
		r.fault(line, "", "bytes that are no text in UTF-8", "save the file as UTF-8, and remove control characters")
	default:
		r.fault(line, "", "not valid YAML: "+text, "check indentation, colons and quotes there and in the line before")
	}
}

// maxSearch is how many bytes are parsed at most to find the line that breaks a file.
const maxSearch = 8 << 20

// brokenLine returns the first line, counted from 1, with which data is no YAML any more, however much
// of the rest is read. The line that yaml.v3 names, which is returned when the search takes too long,
// may be that of the block around it, or one far behind an open quote.
func brokenLine(data []byte, named int) (line int, text []byte) {
	lines := bytes.SplitAfter(data, []byte("\n"))
	line = 1
	for n, size, parsed := len(lines)-1, len(data), 0; n > 0; n-- {
		size -= len(lines[n])
		if parsed += size; parsed > maxSearch {
			line = min(named, len(lines))
			break
		}
		if isYAML(data[:size]) {
			line = n + 1
			break
		}
	}
	return line, bytes.TrimRight(lines[line-1], "\r\n")
}

func isYAML(data []byte) bool {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	for {
		var doc yaml.Node
		if err := dec.Decode(&doc); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}
