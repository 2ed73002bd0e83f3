// A CONNECT-UDP proxy and a client of one with masque-go, for main.ts.
//
//	peer proxy --listen 127.0.0.1:4433 --certificate FILE --key FILE
//	peer echo --ca FILE --proxy TEMPLATE --target 127.0.0.1:7 [--count N]
//
// echo sends N datagrams of random bytes and sizes to an echo server through the proxy, one after the other, each again until its
// answer comes. Exit 0 only when every answer was equal.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/quic-go/masque-go"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/yosida95/uritemplate/v3"
)

const largest = 1200

func proxy(args []string) error {
	flags := flag.NewFlagSet("proxy", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:4433", "address")
	certificate := flags.String("certificate", "", "PEM file")
	key := flags.String("key", "", "PEM file")
	_ = flags.Parse(args)

	pair, err := tls.LoadX509KeyPair(*certificate, *key)
	if err != nil {
		return err
	}
	template, err := uritemplate.New(fmt.Sprintf("https://%s/.well-known/masque/udp/{target_host}/{target_port}/", *listen))
	if err != nil {
		return err
	}
	tunnels := &masque.Proxy{}
	handler := func(response http.ResponseWriter, request *http.Request) {
		parsed, err := masque.ParseProxyRequest(request, template)
		var refused *masque.ProxyRequestParseError
		if errors.As(err, &refused) {
			response.WriteHeader(refused.HTTPStatus)
			return
		}
		if err := tunnels.Proxy(response, parsed); err != nil {
			fmt.Fprintln(os.Stderr, "tunnel:", err)
		}
	}
	server := &http3.Server{
		Addr:            *listen,
		TLSConfig:       http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{pair}}),
		QUICConfig:      &quic.Config{EnableDatagrams: true, InitialPacketSize: 1350},
		EnableDatagrams: true,
		Handler:         http.HandlerFunc(handler),
	}
	return server.ListenAndServe()
}

func echo(args []string) error {
	flags := flag.NewFlagSet("echo", flag.ExitOnError)
	authority := flags.String("ca", "", "PEM file of the trust anchor")
	template := flags.String("proxy", "", "URI Template")
	target := flags.String("target", "", "host:port of an echo server")
	count := flags.Int("count", 100, "datagrams")
	_ = flags.Parse(args)

	pem, err := os.ReadFile(*authority)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("no certificate in %s", *authority)
	}
	parsed, err := uritemplate.New(*template)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	request, err := masque.NewRequest(ctx, parsed, *target)
	if err != nil {
		return err
	}
	transport := &masque.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, NextProtos: []string{http3.NextProtoH3}}}
	tunnel, response, err := transport.Dial(request)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	total := 0
	for i := range *count {
		message := make([]byte, 1+(i*37)%largest)
		if _, err := rand.Read(message); err != nil {
			return err
		}
		if err := exchange(tunnel, message); err != nil {
			return fmt.Errorf("datagram %d of %d bytes: %w", i, len(message), err)
		}
		total += len(message)
	}
	fmt.Printf("echoed=%d bytes=%d remote=%s\n", *count, total, tunnel.RemoteAddr())
	return tunnel.Close()
}

func exchange(tunnel *masque.Conn, message []byte) error {
	buffer := make([]byte, 2*largest)
	var target net.Addr
	for range 20 {
		if _, err := tunnel.WriteTo(message, target); err != nil {
			return err
		}
		deadline := time.Now().Add(500 * time.Millisecond)
		for {
			if err := tunnel.SetReadDeadline(deadline); err != nil {
				return err
			}
			size, _, err := tunnel.ReadFrom(buffer)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				return err
			}
			// A late answer to an earlier one is passed over.
			if bytes.Equal(buffer[:size], message) {
				return nil
			}
		}
	}
	return errors.New("no answer")
}

func main() {
	var err error
	switch {
	case len(os.Args) > 1 && os.Args[1] == "proxy":
		err = proxy(os.Args[2:])
	case len(os.Args) > 1 && os.Args[1] == "echo":
		err = echo(os.Args[2:])
	default:
		fmt.Fprintln(os.Stderr, "usage: peer proxy|echo ...")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "masque-go peer: %v\n", err)
		os.Exit(1)
	}
}
