package proxy

import "strings"

// Trace returns the id of the trace that the client's traceparent names, 32 hexadecimal digits,
// and whether the caller has it recorded (W3C Trace Context, sections 3.2.2 and 3.2.3). It is
// empty where there is none in a valid form.
func (r *Record) Trace() (id string, sampled bool) {
	if r.Request == nil {
		return "", false
	}
	if all := r.Request.Header["Traceparent"]; len(all) == 1 { // two of them are none
		return parseTrace(all[0])
	}
	return "", false
}

// parseTrace reads a traceparent: version, trace, parent and flags, of 2, 32, 16 and 2 digits.
func parseTrace(text string) (id string, sampled bool) {
	const length = 55
	if len(text) < length || text[2] != '-' || text[35] != '-' || text[52] != '-' {
		return "", false
	}
	version, id, parent, flags := text[:2], text[3:35], text[36:52], text[53:length]
	switch {
	case !isHex(version) || version == "ff",
		!isHex(id) || strings.Trim(id, "0") == "",
		!isHex(parent) || strings.Trim(parent, "0") == "",
		!isHex(flags),
		version == "00" && len(text) > length,
		len(text) > length && text[length] != '-': // a later version may add members
		return "", false
	}
	return id, strings.IndexByte("13579bdf", flags[1]) >= 0
}

// isHex says whether text is lower-case hexadecimal digits; others are not valid there.
func isHex(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'f') })
}
