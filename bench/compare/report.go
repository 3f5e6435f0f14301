package main

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"authproxy/bench/internal/figures"
	"authproxy/bench/internal/peers"
)

// file is compare.json.
type file struct {
	Command  string            `json:"command"`
	Machine  peers.Machine     `json:"machine"`
	Load     string            `json:"load_generator"`
	Versions map[string]string `json:"versions"`
	LeftOut  []string          `json:"left_out"`
	Rows     []*row            `json:"rows"`
}

// report prints the tables and writes the files.
func (b *bench) report(out io.Writer, args []string) error {
	for _, r := range b.rows {
		if r.median(); len(r.Samples) == 0 && r.Failed == "" {
			r.Failed = "interrupted"
		}
	}
	f := file{
		Command:  strings.TrimSpace("go run ./bench/compare " + strings.Join(args, " ")),
		Machine:  peers.ThisMachine(),
		Load:     b.generator.Name,
		Versions: b.versions(), LeftOut: b.left, Rows: b.rows,
	}
	var text bytes.Buffer
	f.markdown(&text, b)
	if _, err := out.Write(text.Bytes()); err != nil || b.out == "" {
		return err
	}
	if err := figures.WriteJSON(b.out, "compare.json", f); err != nil {
		return err
	}
	if err := figures.WriteFile(b.out, "compare.md", text.Bytes()); err != nil {
		return err
	}
	return figures.WriteFile(b.out, "compare.svg", []byte(b.chart().SVG()))
}

func (b *bench) versions() map[string]string {
	versions := map[string]string{}
	for _, p := range b.programs {
		if p.Version != nil {
			versions[p.Name] = p.Version(b.scene)
		}
	}
	return versions
}

func (f file) markdown(out io.Writer, b *bench) {
	fmt.Fprintf(out, "Command: `%s`\n\n%s; %s; load average at the end %s; load generator %s\n\n",
		f.Command, f.Machine, f.Machine.Kernel, f.Machine.Load, f.Load)
	for _, p := range b.programs {
		if v := f.Versions[p.Name]; v != "" {
			fmt.Fprintf(out, "- %s: %s\n", p.Name, v)
		}
	}
	for _, left := range f.LeftOut {
		fmt.Fprintf(out, "- left out: %s\n", left)
	}
	for _, cell := range b.cells() {
		first := cell[0]
		fmt.Fprintf(out, "\n### %s, upstream by %s, %d connections\n\n", first.Case, first.Upstream, first.Connections)
		figures.Table(out, []string{"program", "CPU per request", "against bare", "against nginx", "requests/s", "p50", "p99", "memory"}, lines(cell))
		for _, r := range cell {
			if r.Failed != "" {
				fmt.Fprintf(out, "\n%s FAILED: %s\n", r.Program, oneLine(r.Failed))
			}
		}
	}
}

// cells returns the rows by case.
func (b *bench) cells() [][]*row {
	var cells [][]*row
	for i, r := range b.rows {
		if i == 0 || r.Case != b.rows[i-1].Case || r.Upstream != b.rows[i-1].Upstream || r.Connections != b.rows[i-1].Connections {
			cells = append(cells, nil)
		}
		cells[len(cells)-1] = append(cells[len(cells)-1], r)
	}
	return cells
}

func lines(cell []*row) [][]string {
	bare, nginx := find(cell, "bare"), find(cell, "nginx")
	var rows [][]string
	for _, r := range cell {
		m := r.Median
		switch {
		case r.Failed != "":
			rows = append(rows, []string{r.Program, "**FAILED**", "", "", "", "", "", ""})
		case r.Program == direct:
			rows = append(rows, []string{r.Program, "–", "–", "–", fmt.Sprintf("%.0f", m.PerSecond), duration(m.P50), duration(m.P99), "–"})
		default:
			rows = append(rows, []string{r.Program, fmt.Sprintf("%.1f µs", m.CPU), ratio(r, bare), ratio(r, nginx), fmt.Sprintf("%.0f", m.PerSecond),
				duration(m.P50), duration(m.P99), fmt.Sprintf("%.1f MiB", m.Memory)})
		}
	}
	return rows
}

func ratio(r, other *row) string {
	x := r.against(other)
	if x == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", x)
}

// duration shows microseconds.
func duration(us float64) string {
	if us >= 1000 {
		return fmt.Sprintf("%.2f ms", us/1000)
	}
	return fmt.Sprintf("%.0f µs", us)
}

func oneLine(failure string) string {
	text := []rune(strings.Join(strings.Fields(failure), " "))
	return string(text[:min(len(text), 300)])
}

func find(cell []*row, program string) *row {
	for _, r := range cell {
		if r.Program == program && r.Failed == "" {
			return r
		}
	}
	return nil
}

// chart shows the first case at 16 connections, or at the first number that was measured.
func (b *bench) chart() figures.Chart {
	connections := b.connections[0]
	for _, n := range b.connections {
		if n == 16 {
			connections = n
		}
	}
	title := b.workloads[0].title
	c := figures.Chart{
		Title:  fmt.Sprintf("CPU time per request: %s, %d connections", title, connections),
		Note:   fmt.Sprintf("Less is better. Medians of %d rounds; %s.", b.rounds, peers.ThisMachine()),
		Unit:   "µs",
		Series: b.seriesNames(),
	}
	for _, p := range b.programs {
		line := figures.ChartRow{Name: p.Name}
		measured := false
		for _, link := range b.links {
			value := -1.0
			for _, r := range b.rows {
				if r.Program == p.Name && r.Upstream == link && r.Case == title && r.Connections == connections && r.Median.CPU > 0 {
					value, measured = r.Median.CPU, true
				}
			}
			line.Values = append(line.Values, value)
		}
		if measured {
			c.Rows = append(c.Rows, line)
		}
	}
	return c
}

func (b *bench) seriesNames() []string {
	titles := map[string]string{"http": "http", "https": "https, HTTP/1.1", "h2": "https, HTTP/2"}
	var names []string
	for _, link := range b.links {
		names = append(names, titles[link])
	}
	return names
}
