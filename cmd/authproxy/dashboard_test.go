package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// dashboard is what of Grafana's model of one is looked at.
type dashboard struct {
	UID        string
	Panels     []panel
	Templating struct {
		List []struct {
			Name       string
			Type       string
			Definition string
		}
	}
	Annotations struct{ List []struct{ Expr string } }
}

type panel struct {
	ID                       int
	Type, Title, Description string
	GridPos                  struct{ X, Y, W, H int }
	Targets                  []struct{ Expr, LegendFormat string }
	FieldConfig              struct{ Defaults struct{ Unit string } }
}

func readDashboard(t *testing.T) (d dashboard, text string) {
	t.Helper()
	data, err := os.ReadFile("../../deploy/grafana/authproxy.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d, string(data)
}

// expressions are all that a dashboard asks Prometheus for, with a word on where.
func (d dashboard) expressions() map[string]string {
	all := map[string]string{}
	for _, p := range d.Panels {
		for i, target := range p.Targets {
			all[fmt.Sprintf("%s %c", p.Title, 'A'+i)] = target.Expr
		}
	}
	for i, a := range d.Annotations.List {
		all[fmt.Sprint("annotation ", i)] = a.Expr
	}
	return all
}

// TestDashboard: every panel says what it shows and what to do, none lies over another, all metrics of the
// binary are on it, and no other.
func TestDashboard(t *testing.T) {
	d, text := readDashboard(t)
	if d.UID != "authproxy" || len(d.Panels) < 30 {
		t.Errorf("%q, %d panels", d.UID, len(d.Panels))
	}
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.Title == "" || p.Type != "row" && (len(p.Description) < 20 || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0) {
			t.Errorf("%d %q: its id, title, description, unit or expression is missing, or its id not its own", p.ID, p.Title)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%q lies over %q, or beyond the edge", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		for _, target := range p.Targets {
			if target.LegendFormat == "" || !strings.Contains(target.Expr, `job=~"$job", instance=~"$instance"`) {
				t.Errorf("%q: no legend, or not of the chosen instances: %s", p.Title, target.Expr)
			}
		}
	}
	series, err := os.ReadFile("testdata/series.txt")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`\bauthproxy_[a-z_]+`)
	known := append(name.FindAllString(string(series), -1), "authproxy_store_operations_total") // which only a store makes
	shown := name.FindAllString(text, -1)
	for _, metric := range shown {
		if !slices.Contains(known, metric) {
			t.Errorf("the binary has no %s", metric)
		}
	}
	for _, metric := range known {
		if !slices.Contains(shown, metric) {
			t.Errorf("%s is not shown", metric)
		}
	}
}
