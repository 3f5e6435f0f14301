package endpoint

import (
	"errors"
	"fmt"
	"time"

	"authproxy/internal/template"
	"authproxy/tokencache"
)

// fixed is a token for which nobody is asked: it is made of secrets, or is one.
type fixed struct {
	text template.Template
	uses map[string]bool
}

// compileFixed returns what makes the token of o.Token; nil when a platform is asked.
func compileFixed(o Options, made []derived) (*fixed, []error) {
	if o.Token == "" {
		return nil, nil
	}
	c := newCompiler("token", o, made)
	for _, name := range []string{"token", "refresh_token"} {
		delete(c.known, name)
	}
	f := &fixed{text: c.template("text", o.Token), uses: c.uses}
	if o.Request.URL != "" || o.Refresh != nil {
		c.faults = append(c.faults, errors.New("token: a token that is given is not asked for: leave request and refresh out"))
	}
	return f, c.faults
}

// give returns the token, good until its own exp where it is a JWT.
func (e *Endpoint) give() (tokencache.Token, error) {
	c, err := e.call(&request{where: "token", uses: e.fixed.uses}, tokencache.Token{})
	if err != nil {
		return tokencache.Token{}, err
	}
	value := e.fixed.text.Fill(c.values.of)
	if why := unfitGiven(value); why != "" {
		failed := &callError{text: fmt.Sprintf("token %q: what is given as the token cannot be sent: %s", e.name, why)}
		return tokencache.Token{}, &tokencache.FetchError{Reason: tokencache.ReasonCredentials, Err: failed}
	}
	t := tokencache.Token{Value: value, Issued: c.sent}
	if end, problem := ownExpiry(value, c.sent); problem == "" {
		t.Expiry = end
	} else if end, dead := deadline(value); dead {
		failed := &callError{text: fmt.Sprintf("token %q: the token that is given has expired at %s: see what writes it", e.name, end.UTC().Format(time.RFC3339))}
		return tokencache.Token{}, &tokencache.FetchError{Reason: tokencache.ReasonCredentials, Err: failed}
	}
	return t, nil
}

// unfitGiven is [unfit], for a text that is not empty.
func unfitGiven(value string) string {
	if value == "" {
		return "it is empty"
	}
	return unfit(value)
}

// deadline is the exp of a JWT that has passed.
func deadline(token string) (end time.Time, dead bool) {
	end, ok := expOf(token)
	return end, ok && !end.After(time.Now())
}
