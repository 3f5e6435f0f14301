package config

import "authproxy/cmd/authproxy/internal/config/tree"

// Request is a request to a platform. URL, Headers, Query, Form and the strings in JSON are templates:
// {name} stands for a member of Token.Params or Token.Credentials, or for refresh_token, token,
// device_id, now_s, now_ms, uuid; other braces mean themselves. At most one of Form and JSON is set.
type Request struct {
	Method  string            `yaml:"method" default:"POST" rule:"method"`
	URL     string            `yaml:"url" rule:"required" fix:"write the whole URL, such as https://id.example.com/oauth2/token"`
	Auth    string            `yaml:"auth" default:"none" oneof:"{auth}"` // the name of an AuthMethod
	Headers map[string]string `yaml:"headers" keys:"header"`
	Query   map[string]string `yaml:"query"`
	Form    map[string]string `yaml:"form"`
	JSON    any               `yaml:"json"` // map[string]any, []any, string, json.Number, bool or nil
	// OK says which values in a JSON answer mean success; empty: the status alone says it.
	// Only Check and Revoke have it.
	OK Matches `yaml:"ok"`
}

// Response says how the answer to a token request is read.
type Response struct {
	Token        Selector  `yaml:"token" default:"access_token"`
	TokenType    Selector  `yaml:"token_type" default:"token_type"`
	ExpiresIn    Ending    `yaml:"expires_in" default:"expires_in"`
	ExpiresUnit  Unit      `yaml:"expires_unit" default:"s"`
	RefreshToken Selector  `yaml:"refresh_token" default:""`
	Status       []int     `yaml:"status" rule:"status"`                                   // that mean success; empty: any 2xx
	OK           Matches   `yaml:"ok"`                                                     // values that mean success; empty: the status alone says it
	Refused      Matches   `yaml:"refused"`                                                // values that mean that the credentials are refused, at any status
	Busy         Matches   `yaml:"busy"`                                                   // values that mean that asking later may help, at any status
	Error        Selectors `yaml:"error" default:"error,code"`                             // where a machine-readable error may stand
	Describe     Selectors `yaml:"describe" default:"error_description,message,requestId"` // what errors quote besides
}

// checkRequests looks at what the types of the fields cannot say.
func (p *parser) checkRequests(n *tree.Node) {
	for _, key := range requestKeys() {
		r := n.Get(key)
		if hasJSON(r) && r.Has("form") {
			p.fault(r.Get("json"), "stands beside form", "a request has one body: give json or form")
		}
		if at := r.Get("ok"); at != nil && (key == "request" || key == "refresh" || key == "force") {
			p.fault(at, "has no meaning here", "write it into response")
		}
	}
	if at := n.Get("request"); !isGiven(n) && (at == nil || at.Empty()) {
		p.fault(n.Child("request").Missing("url", tree.Scalar), missing, "write the whole URL, such as https://id.example.com/oauth2/token")
	}
	if at := n.Child("response").Get("token"); at != nil && at.Empty() {
		p.fault(at, "is empty", "say where the token stands, such as access_token or header:X-Subject-Token")
	}
}

// forced lays force over the request of n: what it says otherwise is what makes the platform give another token.
func forced(n *tree.Node) *tree.Node {
	force := n.Get("force")
	if force == nil || force.Empty() || force.Kind != tree.Mapping {
		return n
	}
	return n.With("force", tree.Merge(n.Child("request"), force, tree.Deep))
}

// oauthKeys are the keys of a token that say something about its request or its upstreams.
type oauthKeys struct {
	TokenURL       string            `yaml:"token_url"`
	Scopes         []string          `yaml:"scopes" rule:"nonempty"`
	EndpointParams map[string]string `yaml:"endpoint_params"`
	AuthMethod     elsewhere         `yaml:"auth_method"` // parser.expandKeys
	Secrets        elsewhere         `yaml:"secrets"`     // params.moreSecrets
	Given          elsewhere         `yaml:"token"`       // params.given
	GivenFile      elsewhere         `yaml:"token_file"`  // params.given
	Upstream       elsewhere         `yaml:"upstream"`    // see inherited
}

func (p *parser) needForm(at *tree.Node, request *tree.Node) {
	if hasJSON(request) {
		p.fault(at, "needs a request with a form, and this one has json", "write the members into request.json")
	}
}

// hasJSON says whether the request n has a JSON body; {} is one.
func hasJSON(n *tree.Node) bool {
	at := n.Get("json")
	return at != nil && at.Kind != tree.Null
}
