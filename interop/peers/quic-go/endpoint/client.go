package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// connectionIDLength is not zero, quic-go's default: dissectors can follow the connection to another port then.
const connectionIDLength = 8

const ticketTimeout = 10 * time.Second

type client struct {
	transport *quic.Transport
	tls       *tls.Config
	config    *quic.Config
	downloads string
}

func runClient(testcase string, tlsConfig *tls.Config, config *quic.Config) error {
	tlsConfig.InsecureSkipVerify = true
	tlsConfig.NextProtos = []string{hqProtocol}
	var run func(*client, []*url.URL) error
	switch testcase {
	// quic-go updates its keys after 100 packets whatever the case.
	case "handshake", "transfer", "retry", "keyupdate", "ecn":
		run = (*client).onOneConnection
	case "chacha20":
		offerChacha20Only()
		run = (*client).onOneConnection
	case "multiconnect":
		run = (*client).onConnectionsEach
	case "resumption":
		run = func(c *client, urls []*url.URL) error { return c.onTwoConnections(urls, false) }
	case "zerortt":
		run = func(c *client, urls []*url.URL) error { return c.onTwoConnections(urls, true) }
	case "http3":
		run = (*client).overHTTP3
	default:
		return errUnsupported
	}
	urls, err := parseRequests(os.Getenv("REQUESTS"))
	if err != nil {
		return err
	}
	socket, err := net.ListenUDP("udp", nil)
	if err != nil {
		return err
	}
	transport := &quic.Transport{Conn: socket, ConnectionIDLength: connectionIDLength}
	defer transport.Close()
	return run(&client{transport, tlsConfig, config, environment("DOWNLOADS", "/downloads")}, urls)
}

func parseRequests(requests string) ([]*url.URL, error) {
	var urls []*url.URL
	for _, word := range strings.Fields(requests) {
		parsed, err := url.Parse(word)
		if err != nil {
			return nil, err
		}
		urls = append(urls, parsed)
	}
	if len(urls) == 0 {
		return nil, errors.New("REQUESTS is empty")
	}
	return urls, nil
}

// dial does not wait for the handshake.
func (c *client) dial(ctx context.Context, host, port string, tlsConfig *tls.Config, config *quic.Config) (*quic.Conn, error) {
	if port == "" {
		port = "443"
	}
	address, err := net.ResolveUDPAddr("udp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	tlsConfig = tlsConfig.Clone()
	tlsConfig.ServerName = host
	return c.transport.DialEarly(ctx, address, tlsConfig, config)
}

func (c *client) dialHq(origin *url.URL, early bool) (*quic.Conn, error) {
	connection, err := c.dial(context.Background(), origin.Hostname(), origin.Port(), c.tls, c.config)
	if err != nil || early {
		return connection, err
	}
	select {
	case <-connection.HandshakeComplete():
		return connection, nil
	case <-connection.Context().Done():
		return nil, context.Cause(connection.Context())
	}
}

func (c *client) onOneConnection(urls []*url.URL) error {
	connection, err := c.dialHq(urls[0], false)
	if err != nil {
		return err
	}
	return errors.Join(c.all(urls, func(url *url.URL) error { return c.hqGet(connection, url) }), connection.CloseWithError(0, ""))
}

func (c *client) onConnectionsEach(urls []*url.URL) error {
	for i := range urls {
		if err := c.onOneConnection(urls[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) onTwoConnections(urls []*url.URL, early bool) error {
	cache := &ticketCache{tls.NewLRUClientSessionCache(1), make(chan struct{}, 100)}
	c.tls.ClientSessionCache = cache
	first, err := c.dialHq(urls[0], false)
	if err != nil {
		return err
	}
	if err := c.hqGet(first, urls[0]); err != nil {
		return err
	}
	select {
	case <-cache.put:
	case <-time.After(ticketTimeout):
		return fmt.Errorf("no session ticket within %s", ticketTimeout)
	}
	if err := first.CloseWithError(0, ""); err != nil {
		return err
	}
	second, err := c.dialHq(urls[0], early)
	if err != nil {
		return err
	}
	failure := c.all(urls[1:], func(url *url.URL) error { return c.hqGet(second, url) })
	state := second.ConnectionState()
	fmt.Printf("resumed=%t early=%t\n", state.TLS.DidResume, state.Used0RTT)
	return errors.Join(failure, second.CloseWithError(0, ""))
}

// ticketCache tells when a ticket has come.
type ticketCache struct {
	tls.ClientSessionCache
	put chan struct{}
}

func (cache *ticketCache) Put(key string, state *tls.ClientSessionState) {
	cache.ClientSessionCache.Put(key, state)
	cache.put <- struct{}{}
}

// all gets the URLs side by side.
func (c *client) all(urls []*url.URL, get func(*url.URL) error) error {
	results := make(chan error, len(urls))
	for _, url := range urls {
		go func() { results <- get(url) }()
	}
	var failures []error
	for range urls {
		failures = append(failures, <-results)
	}
	return errors.Join(failures...)
}

func (c *client) hqGet(connection *quic.Conn, url *url.URL) error {
	stream, err := connection.OpenStreamSync(context.Background())
	if err != nil {
		return err
	}
	if _, err := io.WriteString(stream, "GET "+url.Path+"\r\n"); err != nil {
		return err
	}
	if err := stream.Close(); err != nil {
		return err
	}
	return c.save(url, stream)
}

func (c *client) save(url *url.URL, content io.Reader) error {
	file, err := os.Create(filepath.Join(c.downloads, path.Base(url.Path)))
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}

func (c *client) overHTTP3(urls []*url.URL) error {
	transport := &http3.Transport{
		TLSClientConfig:    c.tls,
		QUICConfig:         c.config,
		DisableCompression: true,
		Dial: func(ctx context.Context, address string, tlsConfig *tls.Config, config *quic.Config) (*quic.Conn, error) {
			host, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return c.dial(ctx, host, port, tlsConfig, config)
		},
	}
	failure := c.all(urls, func(url *url.URL) error {
		response, err := transport.RoundTrip(&http.Request{Method: http.MethodGet, URL: url, Header: http.Header{}})
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: status %d", url, response.StatusCode)
		}
		return c.save(url, response.Body)
	})
	return errors.Join(failure, transport.Close())
}
