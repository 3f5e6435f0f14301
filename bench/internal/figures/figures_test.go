package figures

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{4}, 4},
		{[]float64{9, 1, 2}, 2},
		{[]float64{9, 1, 2, 4}, 3},
	} {
		if got := Median(c.values); got != c.want {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
		}
	}
	values := []float64{3, 1, 2}
	if Median(values); values[0] != 3 {
		t.Error("Median has sorted its argument")
	}
}

func TestTable(t *testing.T) {
	var b strings.Builder
	Table(&b, []string{"program", "µs"}, [][]string{{"nginx", "15.4"}, {"bare", "–"}})
	const want = "" +
		"| program |   µs |\n" +
		"| ------- | ---: |\n" +
		"| nginx   | 15.4 |\n" +
		"| bare    |    – |\n"
	if b.String() != want {
		t.Errorf("got\n%s", b.String())
	}
}

// TestChart: the chart is well-formed, its bars are to scale, and what was not
// measured is not drawn.
func TestChart(t *testing.T) {
	svg := Chart{Title: "a < b & c", Unit: "µs", Series: []string{"http", "h2"}, Rows: []ChartRow{
		{"long", []float64{100, 50}}, {"none", []float64{25, -1}},
	}}.SVG()
	var widths []string
	for d := xml.NewDecoder(strings.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, svg)
		}
		start, ok := token.(xml.StartElement)
		if !ok || start.Name.Local != "rect" {
			continue
		}
		attributes := map[string]string{}
		for _, a := range start.Attr {
			attributes[a.Name.Local] = a.Value
		}
		if strings.Contains(attributes["width"], ".") { // a bar
			widths = append(widths, attributes["class"]+" "+attributes["width"])
		}
	}
	if got := strings.Join(widths, ", "); got != "s0 490.0, s1 245.0, s0 122.5" {
		t.Errorf("bars: %s", got)
	}
	if !strings.Contains(svg, "a &lt; b &amp; c") {
		t.Error("the title is not escaped")
	}
}
