// Command authproxy forwards a legacy application's requests to platforms that
// want an access token, with a token that the application knows nothing of.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/config"
)

// The exit codes.
const (
	exitDone  = 0
	exitFail  = 1 // at run time
	exitUsage = 2 // of the command line or the configuration
)

func main() {
	log.SetOutput(io.Discard) // net/http quotes here what upstreams send unasked, and that may echo a token
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals) // before anything else: a second signal has its default effect, the end
		if len(signals) > 0 {
			os.Exit(exitFail) // it came before that
		}
		cancel()
	}()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, std streams) int {
	root, begun := newRoot(std)
	root.SetArgs(args)
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	cmd, err := root.ExecuteContextC(ctx)
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, new(told)):
		return codeOf(err)
	case errors.As(err, new(config.Faults)):
		complain(people(std.err), err.Error())
		return exitUsage
	case !*begun || errors.As(err, new(usageError)):
		complain(people(std.err), fmt.Sprintf("authproxy: %v\n%s", err, whereToRead(cmd)))
		return exitUsage
	default:
		complain(people(std.err), fmt.Sprintf("authproxy: %v", err))
		return exitFail
	}
}

// whereToRead says which help has more about cmd.
func whereToRead(cmd *cobra.Command) string {
	if !cmd.HasParent() {
		return "Run 'authproxy --help' for the commands."
	}
	return fmt.Sprintf("Run '%s --help' for how to use it.", cmd.CommandPath())
}

// codeOf is what the program ends with for an error of a command.
func codeOf(err error) int {
	if errors.As(err, new(config.Faults)) || errors.As(err, new(usageError)) {
		return exitUsage
	}
	return exitFail
}

// complain writes a line to w, and does not wait for long when nobody reads there.
func complain(w io.Writer, text string) {
	written := make(chan struct{})
	go func() {
		defer close(written)
		fmt.Fprintln(w, text)
	}()
	select {
	case <-written:
	case <-time.After(time.Second):
	}
}

// usageError is a wrong use of a command that only the command itself can see.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }
