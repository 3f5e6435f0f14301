package logs

import (
	"log/slog"
	"strings"
	"testing"

	"authproxy/tokencache"
)

// TestRivalIsToldOf, with what to do.
func TestRivalIsToldOf(t *testing.T) {
	for _, rival := range []bool{true, false} {
		var out strings.Builder
		Fetches(slog.New(slog.NewTextHandler(&out, nil)), "crm").Observe(tokencache.Start{})(tokencache.Fetch{Result: tokencache.ResultOK, Rival: rival})
		if told := strings.Contains(out.String(), "level=WARN") && strings.Contains(out.String(), "token=crm"); told != rival ||
			strings.Contains(out.String(), "hint=") != rival || !strings.Contains(out.String(), "new token") {
			t.Errorf("rival %v: %s", rival, out.String())
		}
	}
}

// TestUnreadLifetimeIsToldOnce, and again when it is another thing.
func TestUnreadLifetimeIsToldOnce(t *testing.T) {
	var out strings.Builder
	o := Fetches(slog.New(slog.NewTextHandler(&out, nil)), "crm")
	for _, unread := range []string{"a", "a", "", "a", "b"} {
		o.Observe(tokencache.Start{})(tokencache.Fetch{Result: tokencache.ResultOK, Unread: unread})
	}
	if told := strings.Count(out.String(), "level=WARN"); told != 3 || !strings.Contains(out.String(), "response.expires_in") {
		t.Errorf("told %d times: %s", told, out.String())
	}
}
