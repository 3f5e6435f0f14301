package target

import (
	"net/url"
	"path"
	"testing"
)

// TestAmbiguous: a path that is not ambiguous has one reading, and most of those
// that applications call are not.
func TestAmbiguous(t *testing.T) {
	for _, name := range []string{"/odata/Items(1)/$value", "/v1.2/a-b_c~d/file.tar.gz", "/a,b=c:d@e+f!g*'&/"} {
		if Ambiguous(name) {
			t.Errorf("%s is ambiguous", name)
		}
	}
	for c := range 256 {
		for _, d := range []string{"", "/", ".", "x"} {
			one := string([]byte{byte(c)})
			for _, name := range []string{"/x" + one + d, "/x" + d + one, "/x" + one + d + "/x", "/x/" + d + one + "x"} {
				decoded, err := url.PathUnescape(name)
				bare := tails.ReplaceAllString(params.ReplaceAllString(ascii(name), ""), "$1$2")
				if plain := err == nil && decoded == name && path.Clean(name) == name && bare == name; !plain && !Ambiguous(name) && name[len(name)-1] != '/' {
					t.Errorf("%q is not ambiguous", name)
				}
			}
		}
	}
}
