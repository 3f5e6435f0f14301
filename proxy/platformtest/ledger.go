package platformtest

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// grant is a token that was handed out.
type grant struct {
	value, kind string
	expiry      time.Time
	dead        bool
}

func (g *grant) alive(now time.Time) bool { return !g.dead && now.Before(g.expiry) }

// ledger is every token that a platform has handed out.
type ledger struct {
	access, refresh map[string]*grant
	latest          map[string]*grant // by kind
	secrets         []string
}

func (l *ledger) add(to *map[string]*grant, g *grant) {
	if *to == nil {
		*to = map[string]*grant{}
	}
	(*to)[g.value] = g
	l.secrets = append(l.secrets, g.value)
}

func kill(grants map[string]*grant) {
	for _, g := range grants {
		g.dead = true
	}
}

// RevokeAll kills every access token now alive: the API refuses it from now
// on. Refresh tokens stay.
func (p *Platform) RevokeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	kill(p.ledger.access)
}

// ExpireAll ends the life of every access token now alive, whatever was said of it.
func (p *Platform) ExpireAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.ledger.access {
		g.expiry = time.Time{}
	}
}

// RevokeRefreshTokens kills every refresh token now alive (CloudBase).
func (p *Platform) RevokeRefreshTokens() {
	p.mu.Lock()
	defer p.mu.Unlock()
	kill(p.ledger.refresh)
}

// LiveTokens returns the access and refresh tokens that are good now, in
// alphabetical order: for leak searches.
func (p *Platform) LiveTokens() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	var live []string
	for _, grants := range []map[string]*grant{p.ledger.access, p.ledger.refresh} {
		for value, g := range grants {
			if g.alive(now) {
				live = append(live, value)
			}
		}
	}
	slices.Sort(live)
	return live
}

// Secrets returns every access token and refresh token ever handed out, and
// the secret and password that the platform knows, as they are and in the
// encodings in which they travel: for leak searches. Ids and user names are no secrets.
func (p *Platform) Secrets() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.ledger.secrets)
}

func clientSecrets(o Options) []string {
	id, secret := url.QueryEscape(o.ClientID), url.QueryEscape(o.ClientSecret)
	all := []string{o.ClientSecret, secret,
		base64.StdEncoding.EncodeToString([]byte(o.ClientID + ":" + o.ClientSecret)),
		base64.StdEncoding.EncodeToString([]byte(id + ":" + secret))}
	slices.Sort(all)
	return slices.Compact(all)
}

func userSecrets(o Options) []string { return []string{o.Password} }

// issue hands out an access token of the kind, the old one where the platform
// repeats it, and says for how many seconds it will live.
func (p *Platform) issue(kind string, repeat bool) (value string, seconds int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	g := p.ledger.latest[kind]
	if !repeat || !p.knobs.reissue || g == nil || !g.alive(now) {
		g = p.newGrant(kind, now)
	}
	return g.value, int64(g.expiry.Sub(now) / time.Second)
}

func (p *Platform) lifetime(kind string) time.Duration {
	if p.opts.Lifetime != 0 {
		return p.opts.Lifetime
	}
	return p.dialect.lifetimes[kind]
}

func (p *Platform) newGrant(kind string, now time.Time) *grant {
	if p.dialect.oneAlive {
		kill(p.ledger.access)
	}
	g := &grant{kind: kind, expiry: now.Add(p.lifetime(kind))}
	switch kind {
	case GrantedUser:
		g.value = newJWT(p.opts.UserTokenLength)
	default:
		g.value = p.dialect.newToken()
	}
	p.ledger.add(&p.ledger.access, g)
	if p.ledger.latest == nil {
		p.ledger.latest = map[string]*grant{}
	}
	p.ledger.latest[kind] = g
	return g
}

// tokenAnswer is the answer with an access token: fields, and expires_in as
// the document has it, unless a test has set it.
func (p *Platform) tokenAnswer(fields map[string]any, seconds string) answer {
	raw := p.read().expiresIn
	if raw == "" {
		raw = seconds
	}
	a := jsonAnswer(200, fields).as(issued)
	if raw != OmitExpiresIn {
		a.body = append([]byte(`{"expires_in":`+raw+`,`), a.body[1:]...)
	}
	return a
}

func number(seconds int64) string { return strconv.FormatInt(seconds, 10) }

// quoted is the number as a JSON string.
func quoted(seconds int64) string {
	b, _ := json.Marshal(number(seconds)) // a string never fails
	return string(b)
}

// reasons why an access token is not good, in the words of WeDa's document.
const (
	reasonMissing   = "access token missing"
	reasonMalformed = "access token verify failed: jwt malformed"
	reasonExpired   = "access token verify failed: jwt expired"
	reasonKind      = "access token verify failed: jwt audience invalid"
)

// verify says why the access token is not good; "" when it is.
func (p *Platform) verify(token, kind string) (reason string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.ledger.access[token]
	switch {
	case token == "":
		return reasonMissing
	case g == nil:
		return reasonMalformed
	case !g.alive(time.Now()):
		return reasonExpired
	case g.kind != kind:
		return reasonKind
	}
	return ""
}

// remaining is how many seconds a good access token will live.
func (p *Platform) remaining(token string) (seconds int64, good bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	g := p.ledger.access[token]
	if g == nil || !g.alive(now) {
		return 0, false
	}
	return int64(g.expiry.Sub(now) / time.Second), true
}

// revoke kills one access token, and says whether it was good.
func (p *Platform) revoke(token string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.ledger.access[token]
	if g == nil || !g.alive(time.Now()) {
		return false
	}
	g.dead = true
	return true
}

// newRefreshToken hands out a refresh token.
func (p *Platform) newRefreshToken() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := &grant{value: newOpaque(), kind: GrantedUser, expiry: time.Now().Add(p.opts.RefreshLifetime)}
	p.ledger.add(&p.ledger.refresh, g)
	return g.value
}

// spend uses a refresh token up, and says whether it was good.
func (p *Platform) spend(refresh string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.ledger.refresh[refresh]
	if g == nil || !g.alive(time.Now()) {
		return false
	}
	g.dead = true
	return true
}
