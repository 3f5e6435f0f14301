package proxy

import (
	"net/http/httptest"
	"testing"
)

func TestDoubts(t *testing.T) {
	d := newDoubts()
	bad, good := httptest.NewRequest("GET", "/bad?x=1", nil), httptest.NewRequest("GET", "/good", nil)
	same, other := httptest.NewRequest("GET", "/bad?x=2", nil), httptest.NewRequest("POST", "/bad", nil)
	d.accepted(bad)
	if d.about(bad) {
		t.Error("doubted before anything happened")
	}
	d.futile(bad)
	if !d.about(bad) || !d.about(same) || d.about(other) || d.about(good) {
		t.Error("the wrong ones are doubted")
	}
	d.accepted(same)
	if d.about(bad) {
		t.Error("doubted after an acceptance")
	}
	if d.futile(bad); d.about(bad) {
		t.Error("doubted though it was accepted in between")
	}
}
