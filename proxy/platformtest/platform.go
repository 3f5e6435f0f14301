package platformtest

import (
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options are the credentials and lifetimes of a simulated platform. The zero
// value is a working platform. Leak searches should use distinctive secrets.
type Options struct {
	// ClientID is the SecretId of WeDa, the client_id elsewhere; "id" when empty.
	ClientID string
	// ClientSecret is the SecretKey of WeDa, the client_secret elsewhere; "secret" when empty.
	ClientSecret string
	// Username may sign in (CloudBase and WeDa private); "user" when empty.
	Username string
	// Password is Username's; "password" when empty.
	Password string
	// Lifetime is how long a new access token lives; when zero, what the
	// platform's document says (see the constructors).
	Lifetime time.Duration
	// RefreshLifetime is how long a new refresh token lives; 31 days when zero (CloudBase).
	RefreshLifetime time.Duration
	// UserTokenLength is the least length of a user's token in bytes; 1024
	// when zero. CloudBase's tokens have up to 4096.
	UserTokenLength int
	// Scopes are those that NewOAuth2 grants; when empty, any.
	Scopes []string
}

func (o Options) withDefaults() Options {
	setDefault(&o.ClientID, "id")
	setDefault(&o.ClientSecret, "secret")
	setDefault(&o.Username, "user")
	setDefault(&o.Password, "password")
	setDefault(&o.RefreshLifetime, 31*24*time.Hour)
	setDefault(&o.UserTokenLength, 1024)
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Platform is a simulated platform: the token service and the API on one
// address. It is an http.Handler and safe for concurrent use. It reads the
// time with time.Now and starts no goroutine, so it works inside testing/synctest.
type Platform struct {
	opts    Options
	dialect dialect

	mu       sync.Mutex
	knobs    knobs
	ledger   ledger
	counts   Counts
	arrivals int
	api      []*Seen
	token    []*Seen
	signIns  signInGuard
}

// dialect is what makes one platform differ from the others.
type dialect struct {
	tokenPath     string
	endpoints     map[string]endpoint
	judge         func(*Platform, *http.Request) (pass, *answer)
	denials       map[string]func() answer
	wrap          func(Echo) any
	lifetimes     map[string]time.Duration // by kind of token
	newToken      func() string            // of the client
	refusalStatus int
	early         bool // the token is judged before the body is read
	oneAlive      bool // a new token kills the old one
	secrets       func(Options) []string
}

// endpoint is one path of the token service.
type endpoint struct {
	issues bool // hands out tokens: counted as TokenRequests, subject to SetTokenFault
	count  func(*Counts)
	serve  func(p *Platform, r *http.Request, body []byte) answer
}

// pass says what a request was let in as.
type pass struct {
	granted, user, tenant string
	inQuery               bool // the token stood in the query
}

func newPlatform(o Options, d dialect) *Platform {
	o = o.withDefaults()
	p := &Platform{opts: o, dialect: d}
	p.knobs.refusalStatus = d.refusalStatus
	p.knobs.refusalCode = codeInvalidAccessToken
	p.ledger.secrets = d.secrets(o)
	return p
}

// TokenPath is the path of the endpoint that hands out the first token. On
// WeDa private it is that of the client-credentials token.
func (p *Platform) TokenPath() string { return p.dialect.tokenPath }

// ServeHTTP answers a request to the token service or to the API.
func (p *Platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if e, ok := p.dialect.endpoints[rawPath(r)]; ok {
		p.serveEndpoint(w, r, e)
		return
	}
	p.serveAPI(w, r)
}

func (p *Platform) serveEndpoint(w http.ResponseWriter, r *http.Request, e endpoint) {
	seen := p.arrive(r, &p.token)
	p.count(func(c *Counts) {
		if e.issues {
			c.TokenRequests++
		}
		if e.count != nil {
			e.count(c)
		}
	})
	if e.issues {
		if f := p.takeFault(&p.knobs.tokenFault); f != nil {
			p.play(w, r, seen, f, transfer{})
			return
		}
	}
	p.readBody(r, seen, keptBody)
	a := e.serve(p, r, seen.Body)
	p.tally(a.outcome)
	send(w, a, transfer{})
}

func (p *Platform) serveAPI(w http.ResponseWriter, r *http.Request) {
	seen := p.arrive(r, &p.api)
	p.count(func(c *Counts) { c.APIRequests++ })
	how := p.transfer()
	if f := p.takeFault(&p.knobs.apiFault); f != nil {
		p.play(w, r, seen, f, how)
		return
	}
	if !p.dialect.early {
		p.readBody(r, seen, noLimit)
	}
	granted, refusal := p.dialect.judge(p, r)
	if refusal != nil {
		p.tally(refusal.outcome)
		p.beforeBody(w, r, seen, how, func() { send(w, *refusal, how) })
		return
	}
	if p.dialect.early {
		p.readBody(r, seen, noLimit)
	}
	a := p.result(r, seen, granted)
	p.tally(a.outcome)
	send(w, a, how)
}

// result is the answer to a request whose token was accepted.
func (p *Platform) result(r *http.Request, seen *Seen, granted pass) answer {
	if !seen.BodyComplete {
		panic(http.ErrAbortHandler)
	}
	path := rawPath(r)
	for ending, deny := range p.dialect.denials {
		if strings.HasSuffix(path, ending) {
			return deny()
		}
	}
	a := jsonAnswer(http.StatusOK, p.dialect.wrap(echoOf(r, seen, granted)))
	a.outcome = accepted
	return a
}
