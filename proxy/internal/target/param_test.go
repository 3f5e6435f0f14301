package target

import (
	"net/url"
	"strings"
	"testing"
)

func TestIsParam(t *testing.T) {
	for name, pieces := range map[string]string{
		"sudo": "sudo sudo= sudo=1 SUDO=1 Sudo %73udo s%75DO=1 sudo[] sudo[]=1 sudo[x] sudo[x][y]=1 sudo%5B%5D=1 sudo%5bx%5d sudo[ [sudo] [sudo][x] %5Bsudo%5D=1 sudo. sudo.x=1 sudo%2Ex " +
			"%20sudo +sudo sudo+ sudo%20=1 %09sudo %0asudo sudo%0d%0a %00sudo sudo%00 sudo%00x=1 sudo%00%00 ?sudo %3Fsudo=1 %c2%a0sudo sudo%e2%80%8b %EF%BB%BFsudo " +
			"%2573udo %252573udo sudo%3D1 sudo%253D1 %2520sudo sudo%255B%255D x%26sudo=1 x%3bsudo=1 x%2526sudo " +
			"%u0073udo %uff53udo s%udo su%%do sudo% % %EF%BD%93%EF%BD%95%EF%BD%84%EF%BD%8F=1 ｓudo ＳＵＤＯ %c5%bfudo %c1%b3udo %e0%81%b3udo",
		"access_token": "access_token access.token=1 access+token access%20token access[token access%5Btoken ACCESS_TOKEN access%5Ftoken access.token[] access[token]",
		"a.b":          "a.b a_b a[b] a%5Bb%5D=1 a.b.c a.b[]",
		"filter[name]": "filter[name] filter%5Bname%5D=1 FILTER[name][] filter.name]",
		"tokenId":      "tokenid tokenID to\u212aenid tokenİd toKen%C4%B1d",
	} {
		for piece := range strings.FieldsSeq(pieces) {
			if want := piece != "%"; IsParam(piece, name) != want {
				t.Errorf("%s as %s: %v", piece, name, !want)
			}
		}
	}
	for name, pieces := range map[string]string{
		"sudo": "sudoku sudoku=1 xsudo xsudo=sudo sud su=do s udo su+do su%20do sudo_x sudo-x sudo%5Fx sudo] x[sudo] x.sudo a=sudo a=%26sudo=1 a=1%26sudo%3D2 = =sudo sudo1 suedo" +
			" %E5%B7%A5 _sudo -sudo sudo:x sudo/ s%00udo sudo2[] pseudo.x",
		"access_token": "accesstoken access-token access_tokens my_access_token access__token access/token access token access_token_type",
		"a.b":          "ab a/b a b axb",
		"tokenId":      "token token_id tokenIdentifier",
	} {
		for piece := range strings.FieldsSeq(pieces) {
			if IsParam(piece, name) {
				t.Errorf("%s is taken for %s", piece, name)
			}
		}
	}
}

// FuzzIsParam compares with a plain reference: what one decoding, lower case and a
// bracket make of a name is known, and no name of other letters is.
func FuzzIsParam(f *testing.F) {
	f.Add("s%75do%5b")
	f.Add("+su.do")
	f.Add("x%26sudo")
	f.Fuzz(func(t *testing.T, piece string) {
		got := IsParam(piece, "sudo")
		key, _, _ := strings.Cut(piece, "=")
		once, err := url.QueryUnescape(key)
		if err == nil {
			name, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(once)), "[")
			if name == "sudo" && !got {
				t.Errorf("%q passes", piece)
			}
		}
		if got && !strings.ContainsAny(piece, "%") && isPlain(piece) {
			if key := strings.ToLower(strings.TrimLeft(key, "+?")); !strings.HasPrefix(strings.TrimLeft(key, "["), "sudo") {
				t.Errorf("%q is taken for sudo", piece)
			}
		}
	})
}
