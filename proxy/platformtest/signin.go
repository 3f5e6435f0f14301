package platformtest

import "time"

const (
	wrongPasswords = 5                // in a row, then a captcha is asked for
	captchaTime    = 10 * time.Minute // for so long
)

// signInGuard is what CloudBase remembers of sign-ins.
type signInGuard struct {
	wrong   int
	locked  time.Time
	devices map[string]bool
}

// attempt is how a sign-in with a right or a wrong password ends.
type attempt int

const (
	attemptRight attempt = iota
	attemptWrong
	attemptLocked
)

func (p *Platform) attempt(right bool) attempt {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	switch {
	case now.Before(p.signIns.locked):
		return attemptLocked
	case right:
		p.signIns.wrong = 0
		return attemptRight
	}
	p.signIns.wrong++
	if p.signIns.wrong >= wrongPasswords {
		p.signIns.wrong, p.signIns.locked = 0, now.Add(captchaTime)
	}
	return attemptWrong
}

// noteDevice counts a sign-in's device: one without a name is always another.
func (p *Platform) noteDevice(id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if id != "" && p.signIns.devices[id] {
		return
	}
	p.counts.Devices++
	if p.signIns.devices == nil {
		p.signIns.devices = map[string]bool{}
	}
	p.signIns.devices[id] = true
}
