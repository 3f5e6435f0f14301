// Package peer is the command line of the programs beside it. Each is a client
// and a server for the tests of cmd/authproxy; one run of the client is one
// case, and its exit code the verdict.
//
//	PROGRAM server           listens, prints its address, and serves until its standard input ends
//	PROGRAM client AT CASE
//	PROGRAM cases            lists the cases
package peer

import (
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"time"
)

// Good are the only credentials that a server takes.
const Good = "Bearer t2"

// Case does something with the server at the address of the client's command
// line, within 20 seconds.
type Case func(ctx context.Context, at string) error

// Main runs the command line; serve serves what listens to it.
func Main(serve func(net.Listener) error, cases map[string]Case) {
	log.SetFlags(0)
	switch args := os.Args[1:]; {
	case len(args) == 1 && args[0] == "server":
		listen(serve)
	case len(args) == 1 && args[0] == "cases":
		fmt.Println(strings.Join(slices.Sorted(maps.Keys(cases)), "\n"))
	case len(args) == 3 && args[0] == "client" && cases[args[2]] != nil:
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := cases[args[2]](ctx, args[1]); err != nil {
			log.Fatal(err)
		}
	default:
		log.Fatalf("usage: server | client AT CASE | cases: %q", args)
	}
}

func listen(serve func(net.Listener) error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	log.Fatal(serve(l))
}
