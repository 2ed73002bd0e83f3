// CONNECT-IP (RFC 9484) with connect-ip-go, for ../main.ts: a proxy that assigns 192.0.2.1, routes 198.51.100.0/24 and answers each packet with its
// addresses exchanged, and a client that checks such answers. A module of its own: it needs another quic-go than masque-go.
//
//	peer proxy --listen 127.0.0.1:4433 --certificate FILE --key FILE
//	peer client --ca FILE --proxy URL [--count N]
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"time"

	connectip "github.com/quic-go/connect-ip-go"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/yosida95/uritemplate/v3"
)

var (
	assigned = netip.MustParsePrefix("192.0.2.1/32")
	remote   = netip.MustParseAddr("198.51.100.7")
)

func reflectPackets(tunnel *connectip.Conn) error {
	defer tunnel.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	request, err := tunnel.ReceiveAddressRequest(ctx)
	if err != nil {
		return err
	}
	// The first one is granted, the others are not.
	assignments := make([]netip.Prefix, len(request.Prefixes))
	assignments[0] = assigned
	if err := request.Respond(assignments, nil); err != nil {
		return err
	}
	route := connectip.IPRoute{StartIP: netip.MustParseAddr("198.51.100.0"), EndIP: netip.MustParseAddr("198.51.100.255")}
	if err := tunnel.AdvertiseRoute([]connectip.IPRoute{route}); err != nil {
		return err
	}
	buffer := make([]byte, 2048)
	for {
		size, err := tunnel.ReadPacket(buffer)
		if err != nil {
			return err
		}
		packet := buffer[:size]
		exchangeAddresses(packet)
		if _, err := tunnel.WritePacket(packet); err != nil {
			return err
		}
	}
}

func exchangeAddresses(packet []byte) {
	var source [4]byte
	copy(source[:], packet[12:16])
	copy(packet[12:16], packet[16:20])
	copy(packet[16:20], source[:])
}

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
	template, err := uritemplate.New(fmt.Sprintf("https://%s/ip", *listen))
	if err != nil {
		return err
	}
	handler := func(response http.ResponseWriter, request *http.Request) {
		parsed, err := connectip.ParseProxyRequest(request, template)
		if err != nil {
			response.WriteHeader(http.StatusBadRequest)
			return
		}
		tunnel, err := (&connectip.Proxy{}).Proxy(response, parsed)
		if err == nil {
			err = reflectPackets(tunnel)
		}
		fmt.Fprintln(os.Stderr, "tunnel:", err)
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

func client(args []string) error {
	flags := flag.NewFlagSet("client", flag.ExitOnError)
	authority := flags.String("ca", "", "PEM file of the trust anchor")
	url := flags.String("proxy", "", "URL")
	count := flags.Int("count", 100, "packets")
	_ = flags.Parse(args)
	pem, err := os.ReadFile(*authority)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("no certificate in %s", *authority)
	}
	return exchange(*url, &tls.Config{RootCAs: roots, NextProtos: []string{http3.NextProtoH3}}, *count)
}

func exchange(template string, config *tls.Config, count int) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	parsed, err := uritemplate.New(template)
	if err != nil {
		return err
	}
	request, err := connectip.NewRequest(ctx, parsed)
	if err != nil {
		return err
	}
	transport := &connectip.Transport{TLSClientConfig: config}
	tunnel, _, err := transport.Dial(request)
	if err != nil {
		return err
	}
	defer tunnel.Close()
	if _, err := tunnel.RequestAddresses([]netip.Prefix{netip.MustParsePrefix("0.0.0.0/32"), netip.MustParsePrefix("::/128")}); err != nil {
		return err
	}
	addresses, err := tunnel.ReceiveAddressAssignment(ctx)
	if err != nil {
		return err
	}
	if len(addresses) != 2 || !addresses[1].Rejected() || addresses[0].Rejected() {
		return fmt.Errorf("assigned %v", addresses)
	}
	routes, err := tunnel.Routes(ctx)
	if err != nil {
		return err
	}
	for i := range count {
		payload := make([]byte, 1+(i*37)%1000)
		if _, err := rand.Read(payload); err != nil {
			return err
		}
		if err := reflected(tunnel, payload); err != nil {
			return fmt.Errorf("packet %d: %w", i, err)
		}
	}
	fmt.Printf("address=%v routes=%v packets=%d\n", addresses[0], routes, count)
	return nil
}

func reflected(tunnel *connectip.Conn, payload []byte) error {
	if _, err := tunnel.WritePacket(ipv4Packet(assigned.Addr(), remote, payload)); err != nil {
		return err
	}
	buffer := make([]byte, 2048)
	size, err := tunnel.ReadPacket(buffer)
	if err != nil {
		return err
	}
	if !bytes.Equal(buffer[20:size], payload) {
		return errors.New("another payload came back")
	}
	return nil
}

func ipv4Packet(source, destination netip.Addr, payload []byte) []byte {
	packet := make([]byte, 20+len(payload))
	packet[0] = 0x45
	binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
	packet[8] = 64
	packet[9] = 17
	copy(packet[12:], source.AsSlice())
	copy(packet[16:], destination.AsSlice())
	sum := uint32(0)
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(packet[i:]))
	}
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(packet[10:], ^uint16(sum))
	copy(packet[20:], payload)
	return packet
}

func main() {
	var err error
	switch {
	case len(os.Args) > 1 && os.Args[1] == "proxy":
		err = proxy(os.Args[2:])
	case len(os.Args) > 1 && os.Args[1] == "client":
		err = client(os.Args[2:])
	default:
		fmt.Fprintln(os.Stderr, "usage: peer proxy|client ...")
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "connect-ip-go peer: %v\n", err)
		os.Exit(1)
	}
}
