package admin

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TokenStatus is what may be shown of a token: everything but the token.
type TokenStatus struct {
	// Name is that of the configuration.
	Name string
	// Fingerprint identifies the token; empty or "-" without one.
	Fingerprint string
	// Expiry is when it expires; zero without one.
	Expiry time.Time
	// InUse tells whether requests use it.
	InUse bool
	// Err is the last failure to get one, free of secrets; nil without one.
	Err error
}

// String is one line of name=value pairs. expires_in is in whole seconds from
// now, below zero when the token has expired, and "-" without one.
func (s TokenStatus) String() string {
	expires, failure := "-", ""
	if !s.Expiry.IsZero() {
		expires = strconv.FormatInt(int64(time.Until(s.Expiry)/time.Second), 10)
	}
	if s.Err != nil {
		failure = s.Err.Error()
	}
	return fmt.Sprintf("token=%q fingerprint=%s expires_in=%s in_use=%t last_error=%q",
		s.Name, cmp.Or(s.Fingerprint, "-"), expires, s.InUse, failure)
}

func readyz(o Options) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var text strings.Builder
		status := http.StatusOK
		if err := o.notReady(); err != nil {
			status = http.StatusServiceUnavailable
			fmt.Fprintf(&text, "not ready: %v\n", err)
		} else {
			text.WriteString("ok\n")
		}
		if r.URL.Query().Has("verbose") {
			o.listTokens(&text)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text.String())
	}
}

func (o Options) notReady() error {
	if o.Ready == nil {
		return nil
	}
	return o.Ready()
}

func (o Options) listTokens(w io.Writer) {
	if o.Tokens == nil {
		return
	}
	byName := func(a, b TokenStatus) int { return strings.Compare(a.Name, b.Name) }
	for _, token := range slices.SortedFunc(slices.Values(o.Tokens()), byName) {
		_, _ = fmt.Fprintln(w, token)
	}
}
