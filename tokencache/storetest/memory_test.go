package storetest

import (
	"testing"

	"authproxy/tokencache/shared"
)

func TestMemory(t *testing.T) {
	m := NewMemory()
	Run(t, func(*testing.T) shared.Store { return m })
}
