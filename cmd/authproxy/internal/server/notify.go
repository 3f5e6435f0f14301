package server

import (
	"context"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// notify tells the service manager, where there is one (sd_notify(3)). That it does not
// hear is no trouble of the service.
func notify(state string) { _, _ = daemon.SdNotify(false, state) }

// notifyReady tells that requests are served, and what.
func (s *Server) notifyReady(what string) {
	cfg := s.gen().cfg
	notify(fmt.Sprintf("%s\nSTATUS=%s%d upstream(s), %d token(s)", daemon.SdNotifyReady, what, len(cfg.Upstreams), len(cfg.Tokens)))
}

// notifyReloading tells that a configuration is read, until [Server.notifyReady].
func notifyReloading() {
	notify(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
}

// feedWatchdog tells the service manager that the program lives, as often as that asks for
// it (WatchdogSec=), until ctx ends.
func feedWatchdog(ctx context.Context) {
	within, err := daemon.SdWatchdogEnabled(false)
	if err != nil || within <= 0 {
		return
	}
	tick := time.NewTicker(within / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			notify(daemon.SdNotifyWatchdog)
		}
	}
}
