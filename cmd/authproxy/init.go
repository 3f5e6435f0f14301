package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/server"
)

func initCommand(std streams) *cobra.Command {
	cmd := &cobra.Command{Use: "init [PRESET]", Short: "Writes a configuration to begin with", Args: atMost(1), ValidArgsFunction: presetNames,
		Long:    "Writes a configuration to begin with, for a preset or for plain OAuth 2.0: to standard output, or into a file that is made, with files for the secrets in a folder beside it.",
		Example: "  authproxy init\n  authproxy init oauth2 -o authproxy.yaml"}
	file := cmd.Flags().StringP("output", "o", "", "`FILE` to make; one that is there is left as it is")
	if err := cmd.MarkFlagFilename("output", "yaml", "yml"); err != nil {
		panic(err) // the flag was added on the line above
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		toFile := *file != "" && *file != fromInput
		draft, err := server.NewDraft(strings.Join(args, ""), toFile)
		switch {
		case err != nil:
			return usageError{err}
		case toFile:
			return initFiles(people(std.out), *file, draft)
		}
		if _, err := io.WriteString(std.out, draft.Text); err != nil {
			return err
		}
		w := people(std.err)
		fmt.Fprintf(w, "Save this, as authproxy.yaml for example.\n")
		nextSteps(w, draft, "authproxy.yaml")
		return nil
	}
	return cmd
}

// initFiles makes the files of a draft, and says what is to be done with them.
func initFiles(w io.Writer, file string, draft config.Draft) error {
	if err := makeFiles(file, draft); err != nil {
		return err
	}
	fmt.Fprintf(w, "%s is made.\n", file)
	nextSteps(w, draft, file)
	return nil
}

// makeFiles makes the file of the draft, and the files for its secrets in a folder of their own: those
// that are there are left as they are.
func makeFiles(file string, draft config.Draft) error {
	err := makeFile(file, draft.Text)
	if errors.Is(err, fs.ErrExist) {
		return usageError{fmt.Errorf("%s is there already, and is left as it is: give another name, or move it away", file)}
	}
	for i, secret := range draft.Secrets {
		path := secretPath(file, secret)
		if i == 0 && err == nil {
			err = makeFolder(filepath.Dir(path))
		}
		if err == nil {
			err = makeFile(path, secret.Value+"\n")
		}
		if errors.Is(err, fs.ErrExist) {
			err = nil
		}
		if err != nil {
			_ = os.Remove(file) // what is told is why
			return err
		}
	}
	return err
}

// secretPath is where the secret of the configuration in file stands.
func secretPath(file string, secret config.Wanted) string {
	return filepath.Join(filepath.Dir(file), filepath.FromSlash(secret.File))
}

// makeFile makes a file that nobody else reads. The error is [fs.ErrExist] where there is one.
func makeFile(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usageError{fmt.Errorf("the folder of %s is not there: make it, or give another name", path)}
	case errors.Is(err, fs.ErrExist):
		return err
	case err != nil:
		return fmt.Errorf("%s cannot be made (%w): see who may write into its folder, or give another name", path, reasonOf(err))
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// makeFolder makes a folder that nobody else enters; one that is there stays as it is.
func makeFolder(path string) error {
	err := os.Mkdir(path, 0o700)
	if info, found := os.Stat(path); found == nil && info.IsDir() {
		return nil
	}
	if errors.Is(err, fs.ErrExist) {
		return usageError{fmt.Errorf("%s, which is to be the folder for secrets, is a file: move it away", path)}
	}
	return fmt.Errorf("%s, the folder for secrets, cannot be made (%w): see who may write there", path, reasonOf(err))
}

// reasonOf is the system's word on a failed operation, without the path.
func reasonOf(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// nextSteps says what is to be done with the draft, which is kept in file.
func nextSteps(w io.Writer, draft config.Draft, file string) {
	if len(draft.FillIn) > 0 {
		fmt.Fprintf(w, "Fill in there: %s.\n", strings.Join(draft.FillIn, ", "))
	}
	for _, secret := range draft.Secrets {
		what := strings.ReplaceAll(secret.Credential, "_", " ")
		if secret.File == "" {
			fmt.Fprintf(w, "Give the %s in %s of the environment.\n", what, secret.Variable)
			continue
		}
		path := secretPath(file, secret)
		fmt.Fprintf(w, "Write the %s, and nothing else, into %s, %s", what, path, howToWrite(path))
	}
	fmt.Fprintf(w, "Then read it and fetch a token, and run it:\n  authproxy check -c %s --live\n  authproxy serve -c %[1]s\n", shellWord(file))
}

// howToWrite says how a secret gets into a file without a trace in the shell's history.
func howToWrite(path string) string {
	if runtime.GOOS == "windows" {
		return "with an editor.\n"
	}
	return fmt.Sprintf("with an editor, or by this command, then the value, Enter and Ctrl-D:\n  install -m 600 /dev/stdin %s\nNot by echo: what stands in a command stays in the shell's history.\n", shellWord(path))
}

// shellWord is text as one word of a shell.
func shellWord(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune(plainRunes, r) }) {
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	return text
}

// plainRunes mean themselves in every shell.
const plainRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+,"
