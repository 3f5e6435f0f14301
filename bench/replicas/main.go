// Command replicas runs authproxy several times with one credential, before a platform on
// which a new token kills the old one and that revokes it every few seconds, under a steady
// load: with a Redis that they share, which is killed and started again once, and without.
//
//	go run ./bench/replicas [-for 60s] [-replicas 8] [-rate 200] [-revoke 5s]
//
// It fails when a client sees a refusal with the store, or when there are more token
// requests than revocations and those that the outage of Redis may cost.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"authproxy/bench/internal/figures"
)

func main() {
	s := scene{}
	flag.DurationVar(&s.length, "for", time.Minute, "how long, each time")
	flag.IntVar(&s.replicas, "replicas", 8, "how many authproxy")
	flag.IntVar(&s.rate, "rate", 200, "requests a second, over all of them")
	flag.DurationVar(&s.revoke, "revoke", 5*time.Second, "how long until the platform revokes the token again")
	flag.Parse()
	if err := s.run(); err != nil {
		fmt.Fprintln(os.Stderr, "replicas:", err)
		os.Exit(1)
	}
}

func (s scene) run() error {
	var rows [][]string
	var shared outcome
	for _, way := range []string{"Redis, killed and started again", "no store"} {
		o, err := s.play(way != "no store")
		if err != nil {
			return err
		}
		if way != "no store" {
			shared = o
		}
		rows = append(rows, []string{way, fmt.Sprint(o.requests), fmt.Sprint(o.refused[0]), fmt.Sprint(o.refused[1]), fmt.Sprint(o.refused[2]), fmt.Sprint(o.failed), fmt.Sprint(o.revocations), fmt.Sprint(o.tokens), fmt.Sprint(o.duringOutage)})
	}
	fmt.Println()
	figures.Table(os.Stdout, []string{"shared over", "requests", "refusals seen", "while Redis was down, and 2 s", "after it", "failures", "revocations", "token requests", "of these while Redis was down"}, rows)
	if up := shared.refused[0] + shared.refused[2]; up+shared.failed > 0 {
		return fmt.Errorf("clients saw %d refusals with the store at hand, and %d failures", up, shared.failed)
	}
	if most := shared.revocations + 1 + shared.duringOutage; shared.tokens > most {
		return fmt.Errorf("%d token requests with a store, at most %d are due", shared.tokens, most)
	}
	return nil
}
