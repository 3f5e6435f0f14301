package proxy

import (
	"net/http"

	"authproxy/proxy/internal/refusal"
)

// Refusal says which answers mean that the token was refused, Rules what shows in
// them, and Match what stands in the body of one. The zero Refusal means that none does.
type (
	Refusal = refusal.Refusal
	Rules   = refusal.Rules
	Match   = refusal.Match
)

// ExplainRefusal tells whether resp, an answer whose body has come, refuses the token by r,
// and why or why not, in words for people that hold nothing of resp but its status.
func ExplainRefusal(r Refusal, resp *http.Response) (refused bool, why string) {
	return refusal.New(r).Explain(resp)
}
