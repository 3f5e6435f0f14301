package tree

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong with a configuration.
type Fault struct {
	File string // the file as named by the caller, or "preset NAME"; empty where there is none
	Line int    // counted from 1; without meaning where there is no file
	Path string // such as upstreams[0].retry.body_limit; empty for the file as a whole
	What string // what is wrong; never holds the value of a secret or of an environment variable
	Fix  string // what to write instead; may be empty
}

// String returns "file:line: path: what; fix", without the parts that are empty.
func (f Fault) String() string {
	var b strings.Builder
	if f.File != "" {
		fmt.Fprintf(&b, "%s:%d: ", f.File, f.Line)
	}
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.What)
	if f.Fix != "" {
		b.WriteString("; " + f.Fix)
	}
	return b.String()
}

// Faults is everything that is wrong with a configuration, sorted by file, line and path.
// It is the error of Parse and Load whenever the text could be read at all.
type Faults []Fault

// Error returns one line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// Add records what is wrong with n, and how to mend it, unless n has its fault
// already.
func (f *Faults) Add(n *Node, what, fix string) {
	if n.Bad {
		return
	}
	*f = append(*f, Fault{File: n.File, Line: max(n.Line, 1), Path: n.Path, What: what, Fix: fix})
}

// Sorted returns the faults by file, line and path, each once: a value that is
// read in several places has the same fault there.
func (f Faults) Sorted() Faults {
	out := slices.Clone(f)
	slices.SortFunc(out, func(a, b Fault) int {
		return cmp.Or(
			strings.Compare(a.File, b.File),
			cmp.Compare(a.Line, b.Line),
			strings.Compare(a.Path, b.Path),
			strings.Compare(a.What, b.What),
			strings.Compare(a.Fix, b.Fix),
		)
	})
	return slices.Compact(out)
}

// Nearest returns the candidate that name was probably meant to be, or "".
func Nearest(name string, candidates []string) string {
	best, least := "", max(2, len(name)/4)+1
	switch {
	case len(name) > 64:
		return ""
	case len(name) <= 3:
		least = 2
	}
	for _, c := range slices.Sorted(slices.Values(candidates)) {
		if d := distance(name, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is the number of single letters to insert, delete or replace that makes b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// Suggest is the Fix for a name that is not among the known ones.
func Suggest(name, kind string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	if len(known) == 0 {
		return "there are no " + kind + " here"
	}
	return "known " + kind + ": " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
}
