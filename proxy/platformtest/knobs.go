package platformtest

// OmitExpiresIn makes [Platform.SetExpiresIn] leave the field out.
const OmitExpiresIn = "omit"

// knobs are what a test may turn while the platform runs.
type knobs struct {
	refusalStatus        int
	refusalCode          string
	quoteRefused         bool
	expiresIn            string
	reissue              bool
	transfer             transfer
	apiFault, tokenFault *ailment
}

func (p *Platform) turn(change func(*knobs)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.knobs)
}

func (p *Platform) read() knobs {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.knobs
}

func (p *Platform) transfer() transfer { return p.read().transfer }

// SetRefusalStatus sets the HTTP status that goes with the refusal of a token.
// Only Gongjiangyun (请求返回 1) and RFC 6750 section 3.1 name one, 401, which is
// the default but for WeDa and WeDa private: theirs is 200, as public clients suggest.
func (p *Platform) SetRefusalStatus(status int) {
	p.turn(func(k *knobs) { k.refusalStatus = status })
}

// SetRefusalCode sets the code of WeDa's common error shape that refuses a
// token: INVALID_ACCESS_TOKEN (WeDa, 接口异常返回) by default; newer gateways of
// the vendor answer INVALID_CREDENTIALS. WeDa, WeDa private and CloudBase only.
func (p *Platform) SetRefusalCode(code string) {
	p.turn(func(k *knobs) { k.refusalCode = code })
}

// SetQuoteRefused makes Gongjiangyun print a refused token in the body and in
// WWW-Authenticate, as old versions of Spring's OAuth server do.
func (p *Platform) SetQuoteRefused(quote bool) {
	p.turn(func(k *knobs) { k.quoteRefused = quote })
}

// SetExpiresIn sets the raw JSON that token answers give for expires_in, for
// example `"3600"`, `null`, `-1` or `1e300`; it need not be valid. "" is what
// the platform's document says, [OmitExpiresIn] leaves the field out. How long
// a token really lives does not change.
func (p *Platform) SetExpiresIn(raw string) {
	p.turn(func(k *knobs) { k.expiresIn = raw })
}

// SetReissue says whether the token endpoint repeats the token that is alive,
// with expires_in (seconds) counting down, as older Spring servers do. A dead
// token is not repeated. Refresh tokens always give a new access token.
func (p *Platform) SetReissue(same bool) {
	p.turn(func(k *knobs) { k.reissue = same })
}

// SetEncoding sets the Content-Encoding of the API's answers, refusals and
// faults included, whatever the request accepts: "gzip", "deflate" (the zlib
// format of RFC 9110 section 8.4.1.2) or "" for none. It panics on any other.
func (p *Platform) SetEncoding(encoding string) {
	encode(nil, encoding)
	p.turn(func(k *knobs) { k.transfer.encoding = encoding })
}

// SetChunked says whether the API answers without Content-Length.
func (p *Platform) SetChunked(chunked bool) {
	p.turn(func(k *knobs) { k.transfer.chunked = chunked })
}
