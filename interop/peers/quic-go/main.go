// A file server and a downloader over HTTP/3 with quic-go, for the runs of ../../.
//
//	peer serve --listen 127.0.0.1:4433 --root DIR --certificate FILE --key FILE [--retry] [--client-ca FILE] [--curves A,B] [--keylog FILE] [--qlog DIR]
//	peer exchange --ca FILE [--method M] [--upload FILE] [--fields N] URL
//	peer get --ca FILE --output DIR [--connections N] [--early] [--certificate FILE --key FILE] [--keylog FILE] [--qlog DIR] URL...
//
// get downloads all URLs side by side on each of N connections, one connection after the other; the later ones resume the
// session of the first, with --early they send their requests in 0-RTT. One line per connection tells what was negotiated.
// Exit 0 only when every response had status 200 and a complete body.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/qlog"
)

type commonFlags struct {
	certificate, key, keylog, qlogDirectory *string
}

func addCommonFlags(flags *flag.FlagSet) commonFlags {
	return commonFlags{
		certificate:   flags.String("certificate", "", "PEM file"),
		key:           flags.String("key", "", "PEM file"),
		keylog:        flags.String("keylog", "", "file to append secrets to"),
		qlogDirectory: flags.String("qlog", "", "folder for traces"),
	}
}

// apply loads what the flags name into a TLS configuration and sets QLOGDIR, which quic-go's tracer reads.
func (common commonFlags) apply(config *tls.Config) error {
	if *common.certificate != "" {
		pair, err := tls.LoadX509KeyPair(*common.certificate, *common.key)
		if err != nil {
			return err
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if *common.keylog != "" {
		file, err := os.OpenFile(*common.keylog, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		config.KeyLogWriter = file
	}
	if *common.qlogDirectory != "" {
		return os.Setenv("QLOGDIR", *common.qlogDirectory)
	}
	return nil
}

// clientConfig trusts the authority of that file.
func (common commonFlags) clientConfig(authority string) (*tls.Config, error) {
	roots, err := loadRoots(authority)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: roots}
	return config, common.apply(config)
}

func loadRoots(file string) (*x509.CertPool, error) {
	bytes, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(bytes) {
		return nil, fmt.Errorf("no certificate in %s", file)
	}
	return roots, nil
}

func serve(args []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	listen := flags.String("listen", "127.0.0.1:4433", "address")
	root := flags.String("root", ".", "folder to serve")
	retry := flags.Bool("retry", false, "validate every address")
	clientRoots := flags.String("client-ca", "", "PEM file: require client certificates of this authority")
	curves := flags.String("curves", "", "groups to take, by the names of crypto/tls")
	common := addCommonFlags(flags)
	_ = flags.Parse(args)

	config := &tls.Config{}
	if err := common.apply(config); err != nil {
		return err
	}
	for _, name := range strings.Split(*curves, ",") {
		for _, id := range []tls.CurveID{tls.CurveP256, tls.CurveP384, tls.X25519, tls.X25519MLKEM768} {
			if id.String() == name {
				config.CurvePreferences = append(config.CurvePreferences, id)
			}
		}
	}
	if *clientRoots != "" {
		roots, err := loadRoots(*clientRoots)
		if err != nil {
			return err
		}
		config.ClientCAs = roots
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	address, err := net.ResolveUDPAddr("udp", *listen)
	if err != nil {
		return err
	}
	socket, err := net.ListenUDP("udp", address)
	if err != nil {
		return err
	}
	transport := &quic.Transport{Conn: socket, VerifySourceAddress: func(net.Addr) bool { return *retry }}
	listener, err := transport.ListenEarly(http3.ConfigureTLSConfig(config), &quic.Config{Allow0RTT: true, EnableDatagrams: true, Tracer: qlog.DefaultConnectionTracer})
	if err != nil {
		return err
	}
	server := &http3.Server{Handler: newHandler(*root), EnableDatagrams: true}
	fmt.Println("ready")
	return server.ServeListener(listener)
}

func get(args []string) error {
	flags := flag.NewFlagSet("get", flag.ExitOnError)
	authority := flags.String("ca", "", "PEM file of the trust anchor")
	output := flags.String("output", ".", "folder for the files")
	connections := flags.Int("connections", 1, "connections, one after the other")
	early := flags.Bool("early", false, "send the requests of resumed connections in 0-RTT")
	common := addCommonFlags(flags)
	_ = flags.Parse(args)

	config, err := common.clientConfig(*authority)
	if err != nil {
		return err
	}
	stored := &storedSessions{ClientSessionCache: tls.NewLRUClientSessionCache(10), put: make(chan struct{}, 100)}
	config.ClientSessionCache = stored
	for i := range *connections {
		if err := downloadAll(config, flags.Args(), *output, *early && i > 0); err != nil {
			return err
		}
		if i+1 < *connections {
			select {
			case <-stored.put:
			case <-time.After(5 * time.Second):
				return errors.New("no session ticket within 5 s")
			}
		}
	}
	return nil
}

// storedSessions tells when a ticket has come.
type storedSessions struct {
	tls.ClientSessionCache
	put chan struct{}
}

func (s *storedSessions) Put(key string, state *tls.ClientSessionState) {
	s.ClientSessionCache.Put(key, state)
	s.put <- struct{}{}
}

// downloadAll uses one connection for all URLs.
func downloadAll(config *tls.Config, urls []string, output string, early bool) error {
	var connection *quic.Conn
	transport := &http3.Transport{
		TLSClientConfig:    config,
		QUICConfig:         &quic.Config{Tracer: qlog.DefaultConnectionTracer, EnableDatagrams: true},
		EnableDatagrams:    true,
		DisableCompression: true,
		Dial: func(ctx context.Context, address string, tlsConfig *tls.Config, quicConfig *quic.Config) (*quic.Conn, error) {
			opened, err := quic.DialAddrEarly(ctx, address, tlsConfig, quicConfig)
			connection = opened
			return opened, err
		},
	}
	defer transport.Close()
	method := http.MethodGet
	if early {
		method = http3.MethodGet0RTT
	}
	failures := make(chan error, len(urls))
	var running sync.WaitGroup
	for _, url := range urls {
		running.Add(1)
		go func() {
			defer running.Done()
			if err := download(transport, method, url, output); err != nil {
				failures <- fmt.Errorf("%s: %w", url, err)
			}
		}()
	}
	running.Wait()
	close(failures)
	if connection != nil {
		state := connection.ConnectionState()
		fmt.Printf("version=%s resumed=%t early=%t curve=%s\n", state.Version, state.TLS.DidResume, state.Used0RTT, state.TLS.CurveID)
	}
	return <-failures
}

func download(transport http.RoundTripper, method, url, output string) error {
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", response.StatusCode)
	}
	file, err := os.Create(filepath.Join(output, path.Base(request.URL.Path)))
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(file, response.Body)
	return err
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: peer serve|get|exchange ...")
		os.Exit(2)
	}
	var err error
	switch os.Args[1] {
	case "serve":
		err = serve(os.Args[2:])
	case "exchange":
		err = exchange(os.Args[2:])
	case "get":
		err = get(os.Args[2:])
	default:
		err = fmt.Errorf("unknown command %q", os.Args[1])
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "quic-go peer: %v\n", err)
		os.Exit(1)
	}
}
