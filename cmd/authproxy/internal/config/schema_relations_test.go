package config

import "github.com/invopop/jsonschema"

// relate adds what the type of a single field does not say: keys that are read elsewhere, and what one key
// means for another.
func (s *schemas) relate() {
	root := s.defs["Config"]
	root.Required = []string{"tokens", "upstreams"}
	listen := matching(`unix:[^@].*|systemd:[!-9;-~]+|(?:[^:]*|\[.*\]):[0-9]{1,5}`)
	listen.Default = defaultListen
	set(root, "listen", listen)
	set(root, "caller_token_file", s.defs["text"])
	admin, _ := s.defs["Admin"].Properties.Get("listen")
	admin.Default = defaultAdmin
	s.relateToken()
	s.relateRequests()
	s.relateStore()
	s.relateAccess()
	for _, name := range []string{"TLS", "ListenTLS"} {
		pair := s.defs[name]
		pair.AllOf = append(pair.AllOf, when(has("cert_file"), has("key_file")), when(has("key_file"), has("cert_file")))
	}
	tls := s.defs["TLS"]
	set(tls, "server_name", matching("|"+serverRule, "number", "boolean", "null"))
	inject := s.defs["injectKeys"]
	inject.AllOf = append(inject.AllOf, when(&jsonschema.Schema{AnyOf: []*jsonschema.Schema{has("header"), has("scheme")}}, keys("query", blank(), "cookie", blank())),
		when(has("query"), keys("cookie", blank())))
	set(inject, "cookie", matching("|"+tokenRule, "number", "boolean", "null"))
	header := matching("|"+tokenRule, "number", "boolean", "null")
	header.Not = &jsonschema.Schema{Type: "string", Pattern: "^(?:" + anyCase(ownHeaders()) + ")$"}
	set(inject, "header", header)
	set(inject, "scheme", matching(`|\{token_type\}|`+tokenRule, "number", "boolean", "null"))
	set(s.defs["Upstream"], "path", matching(prefixRule))
}

func (s *schemas) relateToken() {
	token := s.defs["Token"]
	for pair := s.defs["oauthKeys"].Properties.Oldest(); pair != nil; pair = pair.Next() {
		token.Properties.Set(pair.Key, pair.Value)
	}
	delete(s.defs, "oauthKeys")
	set(token, "auth_method", s.choice(authMethods()))
	set(token, "upstream", &jsonschema.Schema{Ref: "#/$defs/inherited"})
	set(token, "token_url", matching("|"+tokenURL, "null"))
	for _, name := range CredentialNames() {
		s.twins(token, name, secret())
	}
	s.relateSecrets(token)
	s.twins(token, "token", secret())
	for _, name := range []string{"token", "token_file"} {
		token.AllOf = append(token.AllOf, when(requiring(name, keys()), keys("request", jsonschema.FalseSchema, "refresh", jsonschema.FalseSchema, "response", jsonschema.FalseSchema)))
	}
	claims, _ := s.defs["JWT"].Properties.Get("claims")
	claims.PropertyNames = &jsonschema.Schema{Not: &jsonschema.Schema{Enum: []any{"exp", "iat"}}}
	s.relateParams(token)
}

func (s *schemas) relateSecrets(token *jsonschema.Schema) {
	inFile := s.defs["secretKeys"]
	setTypes(inFile, "object")
	for key, what := range map[string]string{"file": "the path of the file that holds it", "path": "the JSON path of the member that holds it, where the file is JSON"} {
		prop, _ := inFile.Properties.Get(key)
		prop.Description = what
		if key == "path" { // which has a syntax of its own
			inFile.Properties.Set(key, &jsonschema.Schema{AllOf: []*jsonschema.Schema{word(pathRule)}, Description: what})
		}
	}
	one := secret()
	set(token, "secrets", named(&jsonschema.Schema{AnyOf: []*jsonschema.Schema{one, {Ref: "#/$defs/secretKeys"}}}))
	unit := s.defs["unitKeys"]
	setTypes(unit, "object")
	for key, what := range map[string]string{"time": "a layout, as under values", "zone": "where a moment that names none is told; UTC"} {
		prop, _ := unit.Properties.Get(key)
		described := *prop
		described.Description = what
		unit.Properties.Set(key, &described)
	}
	value := s.defs["Value"]
	setTypes(value, "object")
	value.AllOf = append(value.AllOf,
		&jsonschema.Schema{AnyOf: []*jsonschema.Schema{has("text"), has("time")}},
		when(requiring("text", keys()), keys("time", jsonschema.FalseSchema)),
		when(has("hmac"), has("key")), when(&jsonschema.Schema{Not: has("hmac")}, keys("key", blank())),
		when(has("hash"), keys("hmac", blank())), when(&jsonschema.Schema{Not: has("time")}, keys("zone", blank())))
}

// relateParams says which params a token of each preset takes: those, and what the file defines itself.
func (s *schemas) relateParams(token *jsonschema.Schema) {
	definition := s.defs["paramKeys"]
	setTypes(definition, "object")
	definition.MinProperties = ptr(1)
	own := &jsonschema.Schema{Ref: "#/$defs/paramKeys"}
	value := s.define("param", &jsonschema.Schema{AnyOf: []*jsonschema.Schema{{Ref: "#/$defs/text"}, own}})
	set(token, "params", setTypes(&jsonschema.Schema{AdditionalProperties: value, PropertyNames: &jsonschema.Schema{Pattern: paramRule}}, "object", "null"))
	for _, name := range Presets() {
		known, free := keys(), keys()
		known.AdditionalProperties, free.AdditionalProperties = own, value
		for _, p := range presetParams(name) {
			of := &jsonschema.Schema{Ref: value.Ref, Title: p.name, Description: p.description}
			known.Properties.Set(p.name, of)
			free.Properties.Set(p.name, of)
		}
		chosen := requiring("provider", keys("provider", &jsonschema.Schema{Const: name}))
		if name == defaultProvider {
			chosen = &jsonschema.Schema{AnyOf: []*jsonschema.Schema{chosen, {Not: requiring("provider", keys())}}}
		}
		which := when(requiring("request", keys()), keys("params", free)) // a dialect of the file's own defines them
		which.Else = keys("params", known)
		token.AllOf = append(token.AllOf, when(chosen, which))
	}
}

// twins adds a secret to def, which stands there itself or in a file, and not both.
func (s *schemas) twins(def *jsonschema.Schema, name string, value *jsonschema.Schema) {
	def.Properties.Set(name, value)
	file := plain("string", "number", "boolean")
	file.MinLength = ptr(1)
	def.Properties.Set(name+"_file", file)
	def.AllOf = append(def.AllOf, when(requiring(name, keys()), keys(name+"_file", jsonschema.FalseSchema)))
}

func (s *schemas) relateRequests() {
	request := s.defs["Request"]
	set(request, "url", matching(requestRule))
	headers, _ := request.Properties.Get("headers")
	headers.AdditionalProperties = free(headerCharacter, "string", "number", "boolean", "null")
	form := keys("form", &jsonschema.Schema{Type: "object", MinProperties: ptr(1)})
	request.AllOf = append(request.AllOf, when(requiring("form", form), keys("json", &jsonschema.Schema{Type: "null"})))
	asking := *request
	asking.Properties = jsonschema.NewProperties()
	for pair := request.Properties.Oldest(); pair != nil; pair = pair.Next() {
		if pair.Key != "ok" {
			asking.Properties.Set(pair.Key, pair.Value)
		}
	}
	again := s.define("TokenRequest", &asking)
	set(s.defs["Token"], "refresh", again)
	set(s.defs["Token"], "force", again)
	empty := &jsonschema.Schema{Type: "object", MaxProperties: ptr(0)} // which leaves nothing of the preset's
	set(s.defs["Token"], "request", &jsonschema.Schema{AllOf: []*jsonschema.Schema{again, when(empty, requiring("url", keys()))}})
	token, _ := s.defs["Response"].Properties.Get("token")
	set(s.defs["Response"], "token", &jsonschema.Schema{AllOf: []*jsonschema.Schema{{Ref: token.Ref}, {Not: blank()}}, Default: token.Default})
}

func (s *schemas) relateStore() {
	redis, store := s.defs["Redis"], s.defs["Store"]
	url := matching(`|rediss?://[^/]+.*|unix:.*`, "null")
	s.twins(redis, "url", url)
	some := &jsonschema.Schema{Type: "object", MinProperties: ptr(1)}
	place := &jsonschema.Schema{AnyOf: []*jsonschema.Schema{requiring("url", keys()), requiring("url_file", keys())}}
	redis.AllOf = append(redis.AllOf, when(some, place))
	shared := requiring("redis", keys("redis", &jsonschema.Schema{AnyOf: []*jsonschema.Schema{has("url"), requiring("url_file", keys())}}))
	nowhere := &jsonschema.Schema{Not: &jsonschema.Schema{AnyOf: []*jsonschema.Schema{shared, has("file")}}}
	unneeded := keys("required", &jsonschema.Schema{Not: &jsonschema.Schema{Enum: []any{true, "true"}}})
	store.AllOf = append(store.AllOf, when(shared, keys("file", blank())), when(nowhere, unneeded))
}

func (s *schemas) relateAccess() {
	rule := s.defs["Access"]
	setTypes(rule, "object")
	rule.MinProperties = ptr(1)
	paths, _ := rule.Properties.Get("paths")
	rules, _ := s.defs["Upstream"].Properties.Get("access")
	for _, list := range []*jsonschema.Schema{paths.AnyOf[0], rules} {
		setTypes(list, "array")
		list.MinItems = ptr(1)
	}
}

// secret is the text of a secret, which is never empty.
func secret() *jsonschema.Schema {
	value := free(secretCharacter, "string", "number", "boolean")
	value.MinLength = ptr(1)
	return value
}

// when applies then where condition holds.
func when(condition, then *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{If: condition, Then: then}
}

// has holds where key is there and not empty.
func has(key string) *jsonschema.Schema {
	return requiring(key, keys(key, given()))
}

// keys is a mapping in which each of these names, if it is there, fits the schema that follows it here.
func keys(pairs ...any) *jsonschema.Schema {
	all := &jsonschema.Schema{Properties: jsonschema.NewProperties()}
	for i := 0; i+1 < len(pairs); i += 2 {
		all.Properties.Set(pairs[i].(string), pairs[i+1].(*jsonschema.Schema))
	}
	return all
}

// requiring has the mapping s need key, and returns it.
func requiring(key string, s *jsonschema.Schema) *jsonschema.Schema {
	s.Type, s.Required = "object", append(s.Required, key)
	return s
}

// blank is what turns a key off.
func blank() *jsonschema.Schema { return &jsonschema.Schema{Enum: []any{"", nil}} }

func given() *jsonschema.Schema { return &jsonschema.Schema{Not: blank()} }

// set replaces the schema of a key, and keeps its default.
func set(def *jsonschema.Schema, key string, value *jsonschema.Schema) {
	own := *value
	if before, ok := def.Properties.Get(key); ok && own.Default == nil {
		own.Default = before.Default
	}
	def.Properties.Set(key, &own)
}
