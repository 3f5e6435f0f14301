package proxy

import "sync"

// copySize is the size in bytes of the pieces in which bodies stream.
const copySize = 32 << 10

// copyBuffers lends ReverseProxy the buffers through which bodies stream.
type copyBuffers struct{}

var copyPool = sync.Pool{New: func() any { return new([copySize]byte) }}

func (copyBuffers) Get() []byte { return copyPool.Get().(*[copySize]byte)[:] }

func (copyBuffers) Put(b []byte) { copyPool.Put((*[copySize]byte)(b)) }
