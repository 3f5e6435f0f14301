package main

import (
	"io"
	"net"

	"authproxy/bench/internal/proc"
)

// redis is a redis-server that can be killed and started again.
type redis struct {
	address string
	log     io.Writer
	dir     string
	process *proc.Process
}

func startRedis(dir string, log io.Writer) (*redis, error) {
	address, err := proc.FreeAddress()
	if err != nil {
		return nil, err
	}
	r := &redis{address: address, log: log, dir: dir}
	return r, r.start()
}

func (r *redis) start() (err error) {
	_, port, err := net.SplitHostPort(r.address)
	if err != nil {
		return err
	}
	r.process, err = proc.RunAt(r.log, r.address, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", r.dir)
	return err
}

func (r *redis) stop() {
	if r.process != nil {
		r.process.Stop()
		r.process = nil
	}
}
