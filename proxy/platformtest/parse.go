package platformtest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// isMedia reports whether a Content-Type is the media type want, with no
// parameter but a charset of UTF-8. It also takes ";utf-8", as WeDa's document
// (请求说明) writes it.
func isMedia(contentType, want string) bool {
	value, parameter, _ := strings.Cut(contentType, ";")
	if !strings.EqualFold(strings.TrimSpace(value), want) {
		return false
	}
	if strings.EqualFold(strings.TrimSpace(parameter), "utf-8") && want == mediaJSON {
		return true
	}
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	charset, named := params["charset"]
	return len(params) == 0 || named && len(params) == 1 && strings.EqualFold(charset, "utf-8")
}

const (
	mediaJSON = "application/json"
	mediaForm = "application/x-www-form-urlencoded"
)

// flatObject reads a JSON object whose values are all strings, each name at
// most once and among the allowed ones, and nothing behind it.
func flatObject(body []byte, allowed ...string) (map[string]string, error) {
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	if t, err := decoder.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("body is not a JSON object")
	}
	fields := map[string]string{}
	for decoder.More() {
		name, value, err := stringField(decoder)
		if err != nil {
			return nil, err
		}
		if _, twice := fields[name]; twice || !slices.Contains(allowed, name) {
			return nil, fmt.Errorf("unexpected field %q", name)
		}
		fields[name] = value
	}
	if _, err := decoder.Token(); err != nil {
		return nil, errors.New("body is not a JSON object")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("something follows the JSON object")
	}
	return fields, nil
}

func stringField(decoder *json.Decoder) (name, value string, err error) {
	t, err := decoder.Token()
	if err != nil {
		return "", "", errors.New("body is not a JSON object")
	}
	name, _ = t.(string) // the decoder lets no other key pass
	t, err = decoder.Token()
	value, ok := t.(string)
	if err != nil || !ok {
		return "", "", fmt.Errorf("field %q is not a string", name)
	}
	return name, value, nil
}

// formFields reads a form in which no name stands twice.
func formFields(form string) (map[string]string, error) {
	values, err := url.ParseQuery(form)
	if err != nil {
		return nil, errors.New("malformed form")
	}
	fields := make(map[string]string, len(values))
	for name, all := range values {
		if len(all) > 1 {
			return nil, fmt.Errorf("parameter %q stands more than once", name)
		}
		fields[name] = all[0]
	}
	return fields, nil
}

// exactly fails when a field is missing or empty, or not among the named ones.
func exactly(fields map[string]string, required []string, optional ...string) error {
	for _, name := range required {
		if fields[name] == "" {
			return fmt.Errorf("%s is missing", name)
		}
	}
	for name := range fields {
		if !slices.Contains(required, name) && !slices.Contains(optional, name) {
			return fmt.Errorf("unexpected parameter %q", name)
		}
	}
	return nil
}

// basicPair decodes what follows "Basic ", without looking into its halves.
func basicPair(encoded string) (id, secret string, ok bool) {
	pair, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(pair), ":")
}

// authorization returns the one Authorization header. It fails when there are several.
func authorization(r *http.Request) (string, error) {
	all := r.Header.Values("Authorization")
	if len(all) > 1 {
		return "", errors.New("more than one Authorization header")
	}
	return strings.Join(all, ""), nil
}

// parameter is one parameter of a raw query.
type parameter struct{ name, value, raw string }

// parameters splits a raw query as servlet containers do: ";" is an ordinary
// character, and what cannot be decoded stays as it is.
func parameters(query string) []parameter {
	if query == "" {
		return nil
	}
	var out []parameter
	for raw := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(raw, "=")
		out = append(out, parameter{decoded(name), decoded(value), raw})
	}
	return out
}

func decoded(s string) string {
	if d, err := url.QueryUnescape(s); err == nil {
		return d
	}
	return s
}

// maskParameter replaces the value of a parameter in a raw query by "***" and
// leaves every other byte.
func maskParameter(query, name string) string {
	all := parameters(query)
	pieces := make([]string, len(all))
	for i, p := range all {
		pieces[i] = p.raw
		if p.name == name {
			pieces[i] = name + "=***"
		}
	}
	return strings.Join(pieces, "&")
}
