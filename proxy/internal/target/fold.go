package target

import (
	"path"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Folded returns what is left of an escaped path when nothing counts that some servers
// or file systems do not look at: percent-encoding, other spellings of ASCII (see
// [ascii]), the case of letters in any script, and how a character is put together
// (Unicode's NFKC_Casefold: full width, ligatures, accents as characters of their own).
func Folded(escaped string) string {
	if isPlain(escaped) {
		return strings.ToLower(escaped)
	}
	text := ascii(decode(escaped))
	return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text)))
}

// FoldedUnder tells whether folded, a path in the form of [Folded], is prefix or below it,
// which is in that form too.
func FoldedUnder(folded, prefix string) bool {
	rest, ok := strings.CutPrefix(path.Clean("/"+folded), TrimSlash(prefix))
	return ok && (rest == "" || rest[0] == '/')
}
