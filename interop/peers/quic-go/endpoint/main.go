// An endpoint of quic-interop-runner with quic-go; ../../../runner/endpoint.ts lists the environment variables.
//
// Exit status: 0 done, 127 the TESTCASE is not supported, 1 failed.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/qlogwriter"
)

const (
	hqProtocol        = "hq-interop"
	unsupportedStatus = 127
)

var errUnsupported = errors.New("unsupported test case")

// environment gives a variable, or what stands for it in the runner's containers.
func environment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func main() {
	testcase := os.Getenv("TESTCASE")
	tlsConfig := &tls.Config{}
	if file := os.Getenv("SSLKEYLOGFILE"); file != "" {
		log, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			exit(err)
		}
		tlsConfig.KeyLogWriter = log
	}
	config := &quic.Config{
		Tracer: newTrace,
		// One version only: the runner counts another as a fault.
		Versions: []quic.Version{quic.Version1},
		// Attempts are never given up, however lossy the link: another one would count as another handshake.
		HandshakeIdleTimeout: time.Minute,
	}
	switch role := os.Getenv("ROLE"); role {
	case "client":
		exit(runClient(testcase, tlsConfig, config))
	case "server":
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		exit(runServer(ctx, testcase, tlsConfig, config))
	default:
		exit(fmt.Errorf("ROLE is client or server, not %q", role))
	}
}

func exit(err error) {
	finishTraces()
	if err == nil {
		os.Exit(0)
	}
	fmt.Fprintf(os.Stderr, "quic-go endpoint, TESTCASE %s: %v\n", os.Getenv("TESTCASE"), err)
	if errors.Is(err, errUnsupported) {
		os.Exit(unsupportedStatus)
	}
	os.Exit(1)
}

// traces counts the qlog files that are not complete yet.
var traces sync.WaitGroup

type traceFile struct {
	*os.File
}

var _ io.WriteCloser = traceFile{}

func (file traceFile) Close() error {
	defer traces.Done()
	return file.File.Close()
}

// newTrace writes to a file in QLOGDIR.
func newTrace(_ context.Context, isClient bool, id quic.ConnectionID) qlogwriter.Trace {
	directory := os.Getenv("QLOGDIR")
	if directory == "" {
		return nil
	}
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil
	}
	role := "server"
	if isClient {
		role = "client"
	}
	file, err := os.Create(filepath.Join(directory, fmt.Sprintf("%s_%s.sqlog", id, role)))
	if err != nil {
		return nil
	}
	traces.Add(1)
	sequence := qlogwriter.NewConnectionFileSeq(traceFile{file}, isClient, id)
	go sequence.Run()
	return sequence
}

func finishTraces() {
	done := make(chan struct{})
	go func() {
		traces.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}
