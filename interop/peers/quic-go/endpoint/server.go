package main

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// refused is the code of streams with a request that cannot be answered.
const refused quic.StreamErrorCode = 1

func runServer(ctx context.Context, testcase string, tlsConfig *tls.Config, config *quic.Config) error {
	retry := false
	tlsConfig.NextProtos = []string{hqProtocol}
	switch testcase {
	case "handshake", "transfer", "resumption", "multiconnect", "chacha20", "ecn", "versionnegotiation":
	case "retry":
		retry = true
	case "zerortt":
		config.Allow0RTT = true
	case "http3":
		tlsConfig.NextProtos = []string{http3.NextProtoH3}
	default:
		return errUnsupported
	}
	directory := environment("CERTS", "/certs")
	certificate, err := tls.LoadX509KeyPair(filepath.Join(directory, "cert.pem"), filepath.Join(directory, "priv.key"))
	if err != nil {
		return err
	}
	tlsConfig.Certificates = []tls.Certificate{certificate}
	address, err := net.ResolveUDPAddr("udp", net.JoinHostPort(environment("LISTEN_ADDRESS", "::"), environment("LISTEN_PORT", "443")))
	if err != nil {
		return err
	}
	socket, err := net.ListenUDP("udp", address)
	if err != nil {
		return err
	}
	transport := &quic.Transport{Conn: socket, VerifySourceAddress: func(net.Addr) bool { return retry }}
	listener, err := transport.ListenEarly(tlsConfig, config)
	if err != nil {
		return err
	}
	www := environment("WWW", "/www")
	if testcase == "http3" {
		server := &http3.Server{Handler: http.FileServer(http.Dir(www))}
		go func() { _ = server.ServeListener(listener) }()
	} else {
		go serveHq(ctx, listener, www)
	}
	<-ctx.Done()
	return transport.Close()
}

func serveHq(ctx context.Context, listener *quic.EarlyListener, www string) {
	for {
		connection, err := listener.Accept(ctx)
		if err != nil {
			return
		}
		go func() {
			for {
				stream, err := connection.AcceptStream(ctx)
				if err != nil {
					return
				}
				go answer(stream, www)
			}
		}()
	}
}

// answer sends the file that a stream asks for.
func answer(stream *quic.Stream, www string) {
	request, err := io.ReadAll(io.LimitReader(stream, 4096))
	if err != nil {
		return
	}
	name, isGet := strings.CutPrefix(strings.TrimRight(string(request), "\r\n "), "GET /")
	if !isGet || !filepath.IsLocal(name) {
		stream.CancelWrite(refused)
		return
	}
	file, err := os.Open(filepath.Join(www, name))
	if err != nil {
		stream.CancelWrite(refused)
		return
	}
	defer file.Close()
	if _, err := io.Copy(stream, file); err != nil {
		stream.CancelWrite(refused)
		return
	}
	_ = stream.Close()
}
