package endpoint

import (
	"testing"

	"authproxy/tokencache"
)

func TestStatusThatMeansSuccess(t *testing.T) {
	for status, want := range map[int]tokencache.Reason{200: "status", 201: "", 302: "", 401: "", 429: "", 503: "", 500: "status"} {
		o := simple(newPlatform(t, saysStatus(status, `{"access_token":"abc"}`)).URL)
		o.Response.Status = []int{201, 302, 401, 429, 503}
		tok, err := must(t, o).Fetch(t.Context(), zero)
		if want == "" && (err != nil || tok.Value != "abc") || want != "" && fetchError(t, err).Reason != want {
			t.Errorf("%d: %v", status, err)
		}
	}
	o := simple(newPlatform(t, saysStatus(503, `{"data":1}`)).URL)
	o.Response.Status = []int{503}
	if _, err := must(t, o).Fetch(t.Context(), zero); fetchError(t, err).Reason != tokencache.ReasonBadAnswer {
		t.Errorf("a 503 that means success, without a token: %v", err)
	}
}

// TestTokenBesideABusyCode is a token all the same.
func TestTokenBesideABusyCode(t *testing.T) {
	for _, body := range []string{
		`{"access_token":"abc","code":-1}`, `{"access_token":"abc","code":"500"}`, `{"access_token":"Bearer abc","error":"slow_down"}`,
	} {
		tok, err := must(t, simple(newPlatform(t, says(body)).URL)).Fetch(t.Context(), zero)
		if err != nil || tok.Value != "abc" {
			t.Errorf("%s: %v", body, err)
		}
	}
	o := simple(newPlatform(t, says(`{"access_token":"abc","errcode":-1}`)).URL)
	o.Response.OK = []Match{{Path: path("errcode"), Values: []string{"0"}}}
	if _, err := must(t, o).Fetch(t.Context(), zero); fetchError(t, err).Reason != tokencache.ReasonStatus {
		t.Errorf("a token beside an ok that is not met: %v", err)
	}
}

// TestCheckBesideABusyCode: what the operator wrote under ok wins over what a code
// means elsewhere; without it the code counts.
func TestCheckBesideABusyCode(t *testing.T) {
	for _, c := range []struct {
		ok   []Match
		good bool
	}{{[]Match{{Path: path("active"), Values: []string{"true"}}}, true}, {nil, false}} {
		o := simple(newPlatform(t, says(`{"active":true,"code":500}`)).URL)
		o.Check = &Request{URL: "{base_url}/check?t={token}", OK: c.ok}
		v, err := must(t, o).Check(t.Context(), tokencache.Token{Value: testToken})
		if v.Good != c.good || (err == nil) != c.good {
			t.Errorf("%v: %+v, %v", c.ok, v, err)
		}
	}
}

// TestWhatIsNoError at the place of an error code.
func TestWhatIsNoError(t *testing.T) {
	for value, isError := range map[string]bool{
		`true`: true, `"true"`: true, `false`: false, `"false"`: false, `null`: false, `"null"`: false, `0`: false, `"0"`: false, `"00000"`: false,
		`""`: false, `" "`: false, `200`: false, `"201"`: false, `"ok"`: false, `"OK "`: false, `"Success"`: false, `"none"`: false,
		`1`: true, `"x"`: true, `40001`: true, `2000`: true, `"0x1"`: true, `{"a":1}`: false,
	} {
		_, err := must(t, simple(newPlatform(t, says(`{"error":`+value+`}`)).URL)).Fetch(t.Context(), zero)
		want := tokencache.ReasonBadAnswer
		if isError {
			want = tokencache.ReasonCredentials
		}
		if f := fetchError(t, err); f.Reason != want {
			t.Errorf("%s: %s", value, f.Reason)
		}
	}
}

// TestCodeThatSaysMostIsQuoted of several.
func TestCodeThatSaysMostIsQuoted(t *testing.T) {
	for body, want := range map[string]string{
		`{"code":0,"error":"locked"}`: "(locked)", `{"code":true,"error":"locked"}`: "(locked)", `{"error":true}`: "(true)", `{"code":0}`: "(0)",
	} {
		_, err := must(t, simple(newPlatform(t, says(body)).URL)).Fetch(t.Context(), zero)
		contains(t, err.Error(), want)
	}
}
