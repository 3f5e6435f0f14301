package admin

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

func withStatus() Options {
	o := full()
	o.Status = func() Status { return Status{Time: time.Unix(1, 0).UTC(), Step: 10, Tokens: []Token{{Name: "<b>"}}} }
	return o
}

func get(o Options, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	New(o).ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}

// TestPageStandsAlone: its policy admits what is in it and nothing else, and it names no
// other place.
func TestPageStandsAlone(t *testing.T) {
	w := get(withStatus(), http.MethodGet, "/")
	policy := w.Header().Get("Content-Security-Policy")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || !strings.HasPrefix(policy, "default-src 'none'; ") || strings.Contains(policy, "unsafe") {
		t.Fatal(w.Code, w.Header())
	}
	for _, tag := range []string{"style", "script"} {
		parts := regexp.MustCompile(`(?s)<`+tag+`>(.*?)</`+tag+`>`).FindAllStringSubmatch(w.Body.String(), -1)
		if len(parts) != 1 || !strings.Contains(policy, tag+"-src '"+hashed(parts[0][1])+"'") {
			t.Errorf("%d of %s, or not named in %s", len(parts), tag, policy)
		}
	}
	for _, place := range regexp.MustCompile(`(?:https?:)?//[a-z][^\s'"]*`).FindAllString(w.Body.String(), -1) {
		if place != "http://www.w3.org/2000/svg" && !strings.HasPrefix(place, "//[") {
			t.Errorf("it names %s", place)
		}
	}
	if get(withStatus(), http.MethodPost, "/").Code != http.StatusMethodNotAllowed || get(full(), http.MethodGet, "/").Code != http.StatusNotFound {
		t.Error("it is there where it should not be")
	}
}

// TestStatusIsDocumented: /api/status is JSON, and docs/status.md says what each member is.
func TestStatusIsDocumented(t *testing.T) {
	w := get(withStatus(), http.MethodGet, "/api/status")
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Header().Get("Content-Type") != "application/json" || got["step_seconds"] != 10.0 {
		t.Fatalf("%v %v %s", err, w.Header(), w.Body)
	}
	text, err := os.ReadFile("../../../../docs/status.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range members(reflect.TypeFor[Status]()) {
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/status.md does not say what %s is", name)
		}
	}
}

// members are the names in the JSON of a type, and of all it holds.
func members(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() {
		return nil
	}
	var all []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		all = append(append(all, name), members(t.Field(i).Type)...)
	}
	return all
}
