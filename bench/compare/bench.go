package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"slices"
	"strings"

	"authproxy/bench/internal/loadgen"
	"authproxy/bench/internal/peers"
	"authproxy/bench/internal/proc"
)

// direct is the name of the upstream itself, without a program before it.
const direct = "direct"

// bench is one run of this command.
type bench struct {
	options
	scene     *peers.Scene
	generator loadgen.Generator
	programs  []peers.Program
	workloads []workload

	rows []*row
	left []string // what was left out, and why
}

func newBench(o options, scene *peers.Scene, dir string) (*bench, error) {
	b := &bench{options: o, scene: scene}
	var err error
	if b.generator, err = loadgen.Find(dir); err != nil {
		return nil, err
	}
	known := []string{direct}
	none := func(*peers.Scene, peers.Link) string { return "" }
	all := append([]peers.Program{{Name: direct, Lacks: none, Start: upstreamItself}}, peers.All()...)
	for _, p := range all {
		known = append(known, p.Name)
		wanted := slices.Contains(o.only, p.Name) || len(o.only) == 0 && (!p.Extra || p.Name == "authproxy-before" && o.before != "")
		if wanted {
			b.programs = append(b.programs, p)
		}
	}
	for _, w := range workloads {
		if len(o.cases) == 0 || slices.Contains(o.cases, w.name) {
			b.workloads = append(b.workloads, w)
		}
	}
	links := []string{string(peers.HTTP), string(peers.HTTPS), string(peers.H2)}
	for _, c := range []struct {
		flag        string
		given, from []string
	}{{"-only", o.only, known}, {"-cases", o.cases, strings.Split(caseNames(), ",")}, {"-upstream", o.links, links}} {
		for _, name := range c.given {
			if !slices.Contains(c.from, name) {
				return nil, fmt.Errorf("%s: %q is none of %s", c.flag, name, strings.Join(c.from, ", "))
			}
		}
	}
	return b, nil
}

// upstreamItself is no program: the load generator talks to the upstream.
func upstreamItself(*peers.Scene, peers.Link) (*proc.Process, error) { return nil, nil }

// measure fills b.rows; an error means that it was interrupted.
func (b *bench) measure(ctx context.Context) error {
	for _, name := range b.links {
		link := peers.Link(name)
		programs := b.present(link)
		for _, w := range b.workloads {
			for _, n := range b.connections {
				fmt.Fprintf(os.Stderr, "%s, upstream by %s, %d connections\n", w.title, link, n)
				if err := b.cell(ctx, link, w, n, programs); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// present returns the programs that can be measured over link.
func (b *bench) present(link peers.Link) []peers.Program {
	var present []peers.Program
	for _, p := range b.programs {
		reason := p.Lacks(b.scene, link)
		if p.Name == direct && link == peers.H2 {
			reason = b.generator.Name + " is not used with HTTP/2"
		}
		if reason == "" {
			present = append(present, p)
		} else {
			b.left = append(b.left, fmt.Sprintf("%s, upstream by %s: %s", p.Name, link, reason))
		}
	}
	return present
}

// cell measures all programs in one case. They are started anew, so that the
// memory is this case's, and their turns begin with another one each round.
func (b *bench) cell(ctx context.Context, link peers.Link, w workload, connections int, programs []peers.Program) error {
	var turns []*turn
	defer func() {
		for _, t := range turns {
			t.stop()
		}
	}()
	for _, p := range programs {
		t := b.start(p, link, w, connections)
		turns = append(turns, t)
		b.rows = append(b.rows, t.row)
	}
	for _, t := range turns {
		if err := t.warm(ctx, b.generator); err != nil {
			return err
		}
	}
	for round := range b.rounds {
		for i := range turns {
			if err := turns[(i+round)%len(turns)].measure(ctx, b.generator, b.duration); err != nil {
				return err
			}
		}
	}
	return nil
}

// failure is an error when a program could not be measured.
func (b *bench) failure() error {
	var failed []string
	for _, r := range b.rows {
		if r.Failed != "" {
			failed = append(failed, fmt.Sprintf("%s, %s, upstream by %s, %d connections: %s", r.Program, r.Case, r.Upstream, r.Connections, r.Failed))
		}
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d rows failed:\n  %s", len(failed), strings.Join(failed, "\n  "))
	}
	return nil
}

// anyServer accepts the upstream's certificate, as wrk does.
func anyServer() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }
