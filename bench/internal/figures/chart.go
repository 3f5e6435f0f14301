package figures

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// Chart is a bar chart: for each of its rows as many bars as there are series.
type Chart struct {
	Title  string
	Note   string // a line below
	Unit   string
	Series []string
	Rows   []ChartRow
}

// ChartRow has one value for each series; one below zero is not drawn.
type ChartRow struct {
	Name   string
	Values []float64
}

// Sizes in pixels. The text is drawn in the reader's own sans-serif font.
const (
	chartWidth  = 720
	chartLeft   = 120
	chartRight  = 110 // room for the numbers
	barHeight   = 14
	rowGap      = 12
	chartTop    = 64
	chartBottom = 30
)

const chartStyle = `<style>
text{font:13px system-ui,sans-serif;fill:#1f2328}.h{font-weight:600;font-size:15px}.n{fill:#59636e;font-size:12px}
.s0{fill:#2f6fb0}.s1{fill:#c0792a}.s2{fill:#4c8c4a}.bg{fill:#fff}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.n{fill:#9198a1}.bg{fill:#0d1117}.s0{fill:#5b9bd9}.s1{fill:#dd9a52}.s2{fill:#6fb26d}}
</style>
`

// SVG draws the chart. Bars are to one scale, which begins at zero.
func (c Chart) SVG() string {
	most := 0.0
	for _, row := range c.Rows {
		for _, v := range row.Values {
			most = max(most, v)
		}
	}
	rowHeight := len(c.Series)*barHeight + rowGap
	height := chartTop + len(c.Rows)*rowHeight + chartBottom
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n%s", chartWidth, height, escape(c.Title), chartStyle)
	fmt.Fprintf(&b, "<rect class=\"bg\" width=\"%d\" height=\"%d\"/>\n", chartWidth, height)
	fmt.Fprintf(&b, "<text class=\"h\" x=\"12\" y=\"24\">%s</text>\n", escape(c.Title))
	for i, name := range c.Series {
		x := chartLeft + i*150
		fmt.Fprintf(&b, "<rect class=\"s%d\" x=\"%d\" y=\"38\" width=\"12\" height=\"12\"/><text class=\"n\" x=\"%d\" y=\"48\">%s</text>\n", i, x, x+18, escape(name))
	}
	for i, row := range c.Rows {
		c.row(&b, row, chartTop+i*rowHeight, most)
	}
	fmt.Fprintf(&b, "<text class=\"n\" x=\"12\" y=\"%d\">%s</text>\n</svg>\n", height-10, escape(c.Note))
	return b.String()
}

func (c Chart) row(b *strings.Builder, row ChartRow, y int, most float64) {
	middle := y + len(c.Series)*barHeight/2 + 5
	fmt.Fprintf(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", chartLeft-10, middle, escape(row.Name))
	for i, v := range row.Values {
		if v < 0 || most <= 0 {
			continue
		}
		top := y + i*barHeight
		width := v / most * (chartWidth - chartLeft - chartRight)
		fmt.Fprintf(b, "<rect class=\"s%d\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>", i, chartLeft, top, width, barHeight-2)
		fmt.Fprintf(b, "<text class=\"n\" x=\"%.1f\" y=\"%d\">%.1f %s</text>\n", chartLeft+width+6, top+10, v, escape(c.Unit))
	}
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}
