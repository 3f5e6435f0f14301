package endpoint

import (
	"crypto/rand"
	"fmt"
	"maps"
	"strconv"
	"time"

	"authproxy/internal/template"
	"authproxy/tokencache"
)

// Reserved returns the names of the placeholders that an [Endpoint] fills
// itself, which neither a parameter nor a secret may have.
func Reserved() []string {
	return []string{"refresh_token", "token", "device_id", "now_s", "now_ms", "uuid"}
}

// values fill the placeholders.
type values map[string]string

func (v values) of(p template.Piece) string { return v[p.Name] }

// inURL is of for [template.Template.FillURL].
func (v values) inURL(p template.Piece) (text string, encoded bool) { return v[p.Name], false }

// values returns what fills the placeholders of a request that is sent at sent
// with the secrets given; last is the token held.
func (e *Endpoint) values(given map[string]string, last tokencache.Token, sent time.Time) values {
	v := values{}
	maps.Copy(v, e.params)
	for _, name := range e.secrets {
		v[name] = given[name]
	}
	v["token"], v["refresh_token"] = last.Value, last.Refresh
	v["now_s"] = strconv.FormatInt(sent.Unix(), 10)
	v["now_ms"] = strconv.FormatInt(sent.UnixMilli(), 10)
	v["uuid"] = uuid()
	if e.usesDevice {
		v["device_id"] = e.deviceID(last)
	}
	for _, d := range e.derived {
		v[d.Name] = d.make(v, sent)
	}
	return v
}

// deviceID is the one of the last token, or else one for the life of e.
func (e *Endpoint) deviceID(last tokencache.Token) string {
	if last.DeviceID != "" {
		return last.DeviceID
	}
	return e.newDevice()
}

// uuid is a random UUID (RFC 9562 section 5.4).
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
