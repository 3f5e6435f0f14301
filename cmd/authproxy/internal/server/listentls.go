package server

import (
	"net/http"

	"authproxy/cmd/authproxy/internal/config"
	"authproxy/cmd/authproxy/internal/follow"
	"authproxy/cmd/authproxy/internal/listen"
)

// listenFiles are the files of the TLS that callers speak.
func listenFiles(t config.ListenTLS) listen.Files {
	return listen.Files{CertFile: t.CertFile, KeyFile: t.KeyFile, ClientCAFile: t.ClientCAFile, MinVersion: versionOf(t.MinVersion)}
}

// speakTLS reads the certificates of the listeners, and again when they change.
func (g *generation) speakTLS() error {
	files := listenFiles(g.cfg.ListenTLS)
	if files.CertFile == "" {
		return nil
	}
	var made *listen.TLS
	g.files.Add(files.Paths(), func() {
		if err := made.Renew(); err != nil {
			g.log.Warn("the certificates of listen_tls cannot be used; the previous ones go on counting", "error", err, "hint", follow.Hint(err))
			return
		}
		g.log.Info("the certificates of listen_tls have changed")
	})
	var err error
	made, err = listen.NewTLS(files)
	g.tls = made
	return err
}

// onlyCertified returns the check of the certificates of callers; nil when none are asked
// for at address.
func (g *generation) onlyCertified(address string) func(*http.Request) error {
	if g.cfg.ListenTLS.ClientCAFile == "" || g.isUnix(address) {
		return nil
	}
	return g.tls.Known
}
