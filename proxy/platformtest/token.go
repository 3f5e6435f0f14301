package platformtest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails since Go 1.24
	return b
}

// newJWT returns a string of the shape of a JWT, at least length bytes long.
// Its signature is random.
func newJWT(length int) string {
	part := base64.RawURLEncoding.EncodeToString
	claims := map[string]string{"iss": "platformtest", "jti": hex.EncodeToString(randomBytes(16))}
	header := part([]byte(`{"alg":"RS256","typ":"JWT"}`))
	signature := part(randomBytes(64))
	payload := ""
	for {
		b, _ := json.Marshal(claims) // strings never fail
		payload = part(b)
		missing := length - len(header) - len(payload) - len(signature) - 2
		if missing <= 0 {
			break
		}
		claims["project"] += hex.EncodeToString(randomBytes(missing/3 + 1))
	}
	return header + "." + payload + "." + signature
}

// newUUID returns a random UUID (version 4), the form of Gongjiangyun's sample.
func newUUID() string {
	b := randomBytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// newOpaque returns a token of hex digits.
func newOpaque() string { return hex.EncodeToString(randomBytes(24)) }

// newB64Token returns a token that needs care: "+", "/" and "=" are allowed in
// it (RFC 6750 section 2.1), and it holds all three.
func newB64Token() string {
	b := randomBytes(34)
	b[0], b[1], b[2] = 0xfb, 0xef, 0xff // "++//"
	return base64.StdEncoding.EncodeToString(b)
}

// requestID is of the length that WeDa's samples show.
func requestID() string { return hex.EncodeToString(randomBytes(7))[:13] }
