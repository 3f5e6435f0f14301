package tokencache_test

import (
	"context"
	"fmt"
	"time"

	"authproxy/tokencache"
)

// counter is a Source that numbers its tokens.
type counter struct{ fetches int }

func (c *counter) Fetch(context.Context, tokencache.Token) (tokencache.Token, error) {
	c.fetches++
	now := time.Now()
	return tokencache.Token{Value: fmt.Sprint("token-", c.fetches), Issued: now, Expiry: now.Add(time.Hour)}, nil
}

func ExampleNew() {
	source := &counter{}
	cache := tokencache.New(tokencache.Options{Source: source})
	defer cache.Close()
	for range 2 {
		token, err := cache.Token(context.Background())
		fmt.Println(token.Value, err)
	}
	fmt.Println("fetches:", source.fetches)
	token, err := cache.Replace(context.Background(), "token-1") // which the upstream has refused
	fmt.Println(token.Value, err)
	// Output:
	// token-1 <nil>
	// token-1 <nil>
	// fetches: 1
	// token-2 <nil>
}
