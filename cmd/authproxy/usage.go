package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"authproxy/cmd/authproxy/internal/config/tree"
)

// columns is how wide a line may be where people read it.
const columns = 80

// inWords has root and its commands speak in words, and in lines that fit.
func inWords(root *cobra.Command) {
	root.Version = thisVersion().Version
	root.SetVersionTemplate("authproxy {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Args = unknownCommand
		completion.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	template := root.UsageTemplate()
	for _, flags := range []string{".LocalFlags", ".InheritedFlags"} {
		template = strings.ReplaceAll(template, flags+".FlagUsages ", fmt.Sprintf("%s.FlagUsagesWrapped %d ", flags, columns))
	}
	root.SetUsageTemplate(strings.ReplaceAll(template, " for more information about a command.", " tells more of a command."))
	foldHelp(root)
}

func foldHelp(cmd *cobra.Command) {
	cmd.Long = fold(cmd.Long, columns)
	for _, sub := range cmd.Commands() {
		foldHelp(sub)
	}
}

// flagError says in words what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	unknown, empty, bad := new(pflag.NotExistError), new(pflag.ValueRequiredError), new(pflag.InvalidValueError)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return err
	case errors.As(err, &unknown):
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
		name := "--" + strings.TrimLeft(unknown.GetSpecifiedName(), "-")
		if len(unknown.GetSpecifiedShortnames()) > 0 {
			name = "-" + unknown.GetSpecifiedName()
		}
		return fmt.Errorf("unknown flag %s; %s", name, tree.Suggest(name, "flags", known))
	case errors.As(err, &empty):
		return fmt.Errorf("%s needs a value behind it: %s", named(empty.GetFlag()), usageOf(empty.GetFlag()))
	case errors.As(err, &bad):
		return fmt.Errorf("%q is no value for %s, which is a %s: %s", bad.GetValue(), named(bad.GetFlag()), kindOf(bad.GetFlag()), usageOf(bad.GetFlag()))
	}
	return err
}

// kindOf is what a flag takes, in words.
func kindOf(f *pflag.Flag) string {
	return map[string]string{"bool": "switch (true or false)", "duration": "time such as 10s", "int": "whole number"}[f.Value.Type()]
}

// usageOf is what a flag means, without the marks around the name of its value.
func usageOf(f *pflag.Flag) string { return strings.ReplaceAll(f.Usage, "`", "") }

// named is a flag as people write it.
func named(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "-" + f.Shorthand + " (--" + f.Name + ")"
	}
	return "--" + f.Name
}

// unknownCommand refuses what is no command, and names the nearest one.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			known = append(known, sub.Name())
		}
	}
	return fmt.Errorf("unknown command %q; %s", args[0], tree.Suggest(args[0], "commands", known))
}

// atMost allows n arguments and no more.
func atMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		return fmt.Errorf("%q is one argument too many: it is 'authproxy %s'", args[n], cmd.Use)
	}
}

// oneToken wants the name of a token, and nothing else.
func oneToken(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("which token? Give its name, as it stands under tokens in the file: 'authproxy %s'", cmd.Use)
	}
	return atMost(1)(cmd, args)
}

// onlyFlags refuses arguments, which are files that lack a -c in most cases.
func onlyFlags(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fmt.Errorf("%q is one argument too many: give the file as 'authproxy %s -c FILE'", args[0], cmd.Name())
}

// withFile is how to use cmd, with a file in it.
func withFile(cmd *cobra.Command) string {
	return strings.Replace(cmd.Use, "FILE", "authproxy.yaml", 1)
}

// fold breaks the lines of text so that each has at most width columns, where blanks
// allow it. What follows a broken line is indented as it was.
func fold(text string, width int) string {
	var out []string
	for _, line := range strings.Split(text, "\n") {
		indent := line[:len(line)-len(strings.TrimLeft(line, " "))]
		for len([]rune(line)) > width {
			head := string([]rune(line)[:width+1])
			at := strings.LastIndexByte(head, ' ')
			if at <= len(indent) {
				if at = strings.IndexByte(line[len(indent):], ' '); at < 0 {
					break
				}
				at += len(indent)
			}
			out = append(out, strings.TrimRight(line[:at], " "))
			line = indent + strings.TrimLeft(line[at:], " ")
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// people is w for lines that people read: they fit into a terminal, and stay whole where
// another program reads them.
func people(w io.Writer) io.Writer {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return w
	}
	width := columns
	if have, _, err := term.GetSize(int(file.Fd())); err == nil && have > 20 && have < columns {
		width = have
	}
	return folding{w, width}
}

// folding folds what is written in whole lines.
type folding struct {
	io.Writer
	width int
}

// Write implements [io.Writer].
func (f folding) Write(b []byte) (int, error) {
	if _, err := io.WriteString(f.Writer, fold(string(b), f.width)); err != nil {
		return 0, err
	}
	return len(b), nil
}
