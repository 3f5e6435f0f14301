package authproxytest

import (
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// Series returns the metrics of ours and their values, by name and labels, as
// they are written on the page.
func (p *Program) Series(t testing.TB) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	for line := range strings.Lines(Ask(t, http.MethodGet, p.Admin+"/metrics", nil).Body) {
		at := strings.LastIndex(line, " ")
		if !strings.HasPrefix(line, "authproxy_") || at < 0 {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		all[line[:at]] = value
	}
	return all
}

// Changed returns those of after that are not what they were before.
func Changed(before, after map[string]float64) map[string]float64 {
	out := maps.Clone(after)
	maps.DeleteFunc(out, func(name string, value float64) bool { return before[name] == value })
	return out
}
