package config

import "testing"

// TestMaxHeader: what would not be kept, or would refuse every request, is a fault.
func TestMaxHeader(t *testing.T) {
	for text, ok := range map[string]bool{"0": false, "1": false, "1023": false, "1KiB": true, "128KiB": true, "16MiB": true, "17MiB": false, "4GiB": false, "-1": false} {
		_, err := testParse("test.yaml", withTop("max_header: "+text))
		if (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}
