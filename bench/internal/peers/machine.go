package peers

import (
	"fmt"
	"os"
	"runtime"
	"strings"

	"authproxy/bench/internal/proc"
)

// Machine is where something was measured.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`
	System string `json:"system"`
	Load   string `json:"load_average"` // of the minutes before
}

// ThisMachine describes the one that this runs on.
func ThisMachine() Machine {
	return Machine{
		CPU:    strings.Join(strings.Fields(field("/proc/cpuinfo", "model name", ":")), " "),
		Cores:  runtime.NumCPU(),
		Kernel: "Linux " + proc.Version("uname", "-r"),
		System: strings.Trim(field("/etc/os-release", "PRETTY_NAME", "="), `"`),
		Load:   firstLine("/proc/loadavg"),
	}
}

// String implements [fmt.Stringer].
func (m Machine) String() string {
	return fmt.Sprintf("%d cores, %s, %s", m.Cores, m.CPU, m.System)
}

// field returns the value of the first line that begins with key.
func field(file, key, separator string) string {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, separator); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func firstLine(file string) string {
	text, _ := os.ReadFile(file)
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}
