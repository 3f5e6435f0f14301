package platformtest

// Counts is what happened on a [Platform] since it was made.
type Counts struct {
	// TokenRequests are all requests to endpoints that hand out tokens,
	// whatever came of them: sign-ins and refreshes included, checks and
	// revocations not.
	TokenRequests int
	// SignIns are the requests to CloudBase's signin among TokenRequests.
	SignIns int
	// Refreshes are the requests to CloudBase's token endpoint among TokenRequests.
	Refreshes int
	// Issued are the token requests that were answered with a token.
	Issued int
	// WrongCredentials are the token requests that were refused for the id,
	// the secret, the user name, the password or the refresh token.
	WrongCredentials int
	// Devices are the devices that CloudBase saw signing in: the distinct
	// values of x-device-id, and one for each sign-in without it.
	Devices int
	// Checks are the requests to HENGSHI's check endpoint.
	Checks int
	// Revocations are the requests to a revocation endpoint.
	Revocations int
	// APIRequests are all requests to the API, whatever came of them.
	APIRequests int
	// Accepted are the API requests that were answered with an [Echo].
	Accepted int
	// Refused are the API requests whose token was missing or not good.
	Refused int
	// Denied are the API requests whose token was good but that were answered
	// with a permission error or a rate limit.
	Denied int
	// BadRequests are the requests, to either side, that the document does not allow.
	BadRequests int
	// Faulted are the requests, to either side, that met a [Fault].
	Faulted int
}

// outcome is the counter that an answer belongs to.
type outcome int

const (
	uncounted outcome = iota
	issued
	wrongCredentials
	accepted
	refused
	denied
	badRequest
)

// Counts returns the counts up to now.
func (p *Platform) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

func (p *Platform) count(add func(*Counts)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	add(&p.counts)
}

func (p *Platform) tally(o outcome) {
	p.count(func(c *Counts) {
		fields := map[outcome]*int{
			issued: &c.Issued, wrongCredentials: &c.WrongCredentials, accepted: &c.Accepted,
			refused: &c.Refused, denied: &c.Denied, badRequest: &c.BadRequests,
		}
		if field := fields[o]; field != nil {
			*field++
		}
	})
}
