package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/server"
)

const (
	// fileVariable names the configuration file where -c does not.
	fileVariable = "AUTHPROXY_CONFIG"
	// fromInput is the file that stands for standard input.
	fromInput = "-"
	// inputName is what faults call it.
	inputName = "<stdin>"
)

// source is where a command finds its configuration: a file, or standard input.
type source struct {
	given string // by -c
	in    io.Reader
	text  []byte // of standard input, once it was read
}

// configFlag adds the flag -c, which names the configuration.
func configFlag(cmd *cobra.Command, std streams) *source {
	s := &source{in: std.in}
	cmd.Flags().StringVarP(&s.given, "config", "c", "", "`FILE` with the configuration (YAML); -: standard input; by default what "+fileVariable+" names")
	if err := cmd.MarkFlagFilename("config", "yaml", "yml"); err != nil {
		panic(err) // the flag was added on the line above
	}
	return s
}

// path is what the user named; empty when nothing was.
func (s *source) path() string {
	if s.given != "" {
		return s.given
	}
	return os.Getenv(fileVariable)
}

// isInput says whether the configuration comes from standard input, and cannot be read twice.
func (s *source) isInput() bool { return s.path() == fromInput }

// name is what messages call it.
func (s *source) name() string {
	if s.isInput() {
		return inputName
	}
	return s.path()
}

// read returns the text of the configuration.
func (s *source) read(ctx context.Context) ([]byte, error) {
	if !s.isInput() {
		data, err := os.ReadFile(s.path())
		if err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
		return data, nil
	}
	if s.text == nil {
		text, err := readUntil(ctx, s.in)
		if err != nil {
			return nil, fmt.Errorf("configuration: standard input: %w", err)
		}
		s.text = text
	}
	return s.text, nil
}

var errTooLarge = fmt.Errorf("is larger than %d MiB; is it a configuration?", maxInput>>20)

// maxInput is how many bytes of standard input are read.
const maxInput = 16 << 20

// readUntil reads all of in, unless ctx ends first.
func readUntil(ctx context.Context, in io.Reader) ([]byte, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := io.ReadAll(io.LimitReader(in, maxInput+1))
		done <- result{append([]byte{}, data...), err}
	}()
	select {
	case r := <-done:
		if len(r.data) > maxInput {
			return nil, errTooLarge
		}
		return r.data, r.err
	case <-ctx.Done():
		return nil, errors.New("interrupted before its end came")
	}
}

// load reads the configuration. Relative paths on standard input start at the working directory.
func (s *source) load(ctx context.Context) (*config.Config, error) {
	if !s.isInput() {
		cfg, err := server.Load(s.path())
		return cfg, usageUnlessFaults(err)
	}
	text, err := s.read(ctx)
	if err != nil {
		return nil, usageError{err}
	}
	cfg, err := server.Parse(inputName, text, ".")
	return cfg, usageUnlessFaults(err)
}

// adminListen reads nothing but admin.listen.
func (s *source) adminListen(ctx context.Context) (config.Address, error) {
	text, err := s.read(ctx)
	if err != nil {
		return "", usageError{err}
	}
	listen, err := config.AdminListen(s.name(), text, filepath.Dir(s.path()))
	return listen, usageUnlessFaults(err)
}

// logFormat is how the configuration wants the log.
func (s *source) logFormat(ctx context.Context) string {
	text, err := s.read(ctx)
	if err != nil {
		return "text"
	}
	return config.LogFormat(text)
}

// options say how a server reads the configuration again: not at all when it came from standard input.
func (s *source) options() server.Options {
	if s.isInput() {
		return server.Options{File: inputName}
	}
	return server.Options{File: s.path(), Load: func() (*config.Config, error) { return server.Load(s.path()) }}
}

// needed refuses a command without a configuration.
func (s *source) needed(cmd *cobra.Command, _ []string) error {
	if s.path() != "" {
		return nil
	}
	return fmt.Errorf("which configuration? Give its file: 'authproxy %s', or name it in %s; 'authproxy init' begins one", withFile(cmd), fileVariable)
}

// usageUnlessFaults makes an error of reading a configuration one of usage:
// whatever fails then is the user's to mend. Faults are it already.
func usageUnlessFaults(err error) error {
	if err == nil || errors.As(err, new(config.Faults)) {
		return err
	}
	return usageError{err}
}
