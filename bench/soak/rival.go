package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// compete has another program use the credential for a time, which asks for a token
// whenever its own has died; each new one kills the others. What fails then is its
// doing.
func (p *platform) compete(length time.Duration) {
	p.mu.Lock()
	p.rival = true
	p.down = append(p.down, window{time.Now(), time.Now().Add(length + 5*time.Second)})
	p.mu.Unlock()
	own := ""
	for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		if !slices.Contains(p.LiveTokens(), own) {
			own = p.fetch()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rival = false
}

// fetch returns a token of the rival's own; none while the platform is away.
func (p *platform) fetch() string {
	form := url.Values{"grant_type": {"client_credentials"}}.Encode()
	req, err := http.NewRequest(http.MethodPost, "http://"+p.address+p.TokenPath(), strings.NewReader(form))
	if err != nil {
		panic(err) // the address is ours
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("id", "secret")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if json.NewDecoder(resp.Body).Decode(&answer) != nil {
		return ""
	}
	return answer.Token
}
