package server

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/dial"
	"authproxy/tokencache"
	"authproxy/tokencache/endpoint"
)

// FetchOnce fetches a token of cfg as the proxy would, with its limits and defaults, and
// from the store where there is one: then Adopted is set. It returns also where it was
// fetched, to check or revoke it there. version is the program's.
func FetchOnce(ctx context.Context, cfg *config.Config, t config.Token, version string, show func(Exchange)) (tokencache.Token, *endpoint.Endpoint, error) {
	e, err := endpointOf(t, version, show)
	if err != nil {
		return tokencache.Token{}, nil, err
	}
	place, err := openStore(cfg.Store)
	if err != nil {
		return tokencache.Token{}, nil, err
	}
	defer place.Close()
	var source tokencache.Source = e
	if s := place.share(t, e, nil); s != nil {
		source = s
		defer s.Close()
	}
	cache := tokencache.New(tokencache.Options{Source: source, Timeout: t.Timeout, DefaultTTL: t.DefaultTTL})
	defer cache.Close()
	got, err := cache.Token(ctx)
	if later := new(tokencache.UnavailableError); errors.As(err, &later) {
		err = later.Err // nobody asks again here, so the time of the next try is no news
	}
	return got, e, err
}

// Exchange is what a token endpoint was asked and answered; see [endpoint.Exchange].
type Exchange = endpoint.Exchange

// endpointOf returns the token endpoint of t, with connections of its own and
// nothing logged.
func endpointOf(t config.Token, version string, show func(Exchange)) (*endpoint.Endpoint, error) {
	connections, err := dial.New(tokenDial(t))
	if err != nil {
		return nil, err
	}
	return newEndpoint(t, connections, agent(version), slog.New(slog.DiscardHandler), show)
}

// agent is the User-Agent of token requests, which are the program's own.
func agent(version string) string { return strings.TrimSuffix("authproxy/"+version, "/") }
