package endpoint

import (
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"
	"unicode"
)

const (
	maxQuote   = 200 // characters of one text of the platform
	maxMembers = 12  // names of members that are told
	maxName    = 40  // characters of one of them
)

// quote is what the platform says for itself: its error code, what describes it,
// and the id by which its support finds the request; in brackets and behind a
// space, empty for nothing. Secrets are taken out.
func (a *answer) quote(r *Response, s *secrets) string {
	var parts []string
	for _, code := range r.codesToQuote(a) {
		if code = s.clean(code, maxQuote); code != "" {
			parts = append(parts, code)
			break
		}
	}
	for _, place := range r.Describe {
		for _, text := range a.texts(place) {
			if text = s.clean(text, maxQuote); text != "" && !slices.Contains(parts, text) {
				parts = append(parts, place.String()+": "+text)
			}
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

// clean is text as it may be shown, at most limit characters of it: without secrets,
// control characters and what changes the direction of writing.
func (s *secrets) clean(text string, limit int) string {
	text = text[:min(len(text), 8*limit)] // bytes; secrets are seen as such that are cut at limit
	text = strings.ToValidUTF8(s.mask(strings.TrimSpace(text)), "?")
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, text)
	text = s.mask(text)
	if strings.Trim(text, "*= ") == "" {
		return "" // there was nothing else in it, but for base64's padding
	}
	return cut(text, limit)
}

// cut is text of at most limit characters.
func cut(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}

// describe says what the answer's body is, without its content.
func (a *answer) describe(s *secrets) string {
	if a.tooLarge {
		return "more than 1 MiB"
	}
	if a.size == 0 {
		return "an empty body"
	}
	what := "no media type"
	media, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if errorCode.MatchString(media) && !s.in(strings.TrimPrefix(media, "application/")) { // a part of many a client id
		what = media
	}
	return fmt.Sprintf("%s, %d bytes", what, a.size)
}

// members says which members the answer's JSON has, by their names alone: "; its
// members are code, data.id". However many there are, few are looked at closely.
func (a *answer) members(s *secrets) string {
	top, ok := a.doc.(map[string]any)
	if !ok {
		return ""
	}
	var names []string
	for _, name := range firstNames(top) {
		inner, _ := top[name].(map[string]any)
		if len(inner) == 0 {
			names = append(names, s.member(name))
		}
		for _, below := range firstNames(inner) {
			names = append(names, s.member(name)+"."+s.member(below))
		}
		if len(names) > maxMembers {
			names = append(names[:maxMembers], "...")
			break
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; its members are " + strings.Join(names, ", ")
}

// firstNames are the names of members, in order: one more than are told at most.
func firstNames(members map[string]any) []string {
	names := slices.Sorted(maps.Keys(members))
	return names[:min(len(names), maxMembers+1)]
}

// member is the name of a member as it may be shown.
func (s *secrets) member(name string) string { return s.clean(name, maxName) }
