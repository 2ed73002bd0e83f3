package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"strings"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/qlog"
)

// answer is what ../peer.ts calls PeerAnswer.
type answer struct {
	Informational []int             `json:"informational"`
	Status        int               `json:"status"`
	Headers       map[string]string `json:"headers"`
	Fields        int               `json:"fields"`
	BodyLength    int64             `json:"bodyLength"`
	BodySha256    string            `json:"bodySha256"`
	Trailers      map[string]string `json:"trailers"`
}

// field gives the Nth of the fields that make a header list large.
func field(n int) (name, value string) {
	return fmt.Sprintf("x-field-%d", n), fmt.Sprintf("%090d", n)
}

func flat(header http.Header) (headers map[string]string, fields int) {
	headers = map[string]string{}
	for name, values := range header {
		lower := strings.ToLower(name)
		if number, isField := strings.CutPrefix(lower, "x-field-"); isField && values[0] == fmt.Sprintf("%090s", number) {
			fields++
			continue
		}
		headers[lower] = values[len(values)-1]
	}
	return headers, fields
}

// exchange makes one request and prints what came back as a line of JSON.
func exchange(args []string) error {
	flags := flag.NewFlagSet("exchange", flag.ExitOnError)
	authority := flags.String("ca", "", "PEM file of the trust anchor")
	method := flags.String("method", http.MethodGet, "method")
	upload := flags.String("upload", "", "file to send")
	fields := flags.Int("fields", 0, "large fields to add")
	common := addCommonFlags(flags)
	_ = flags.Parse(args)

	config, err := common.clientConfig(*authority)
	if err != nil {
		return err
	}
	transport := &http3.Transport{
		TLSClientConfig:    config,
		QUICConfig:         &quic.Config{Tracer: qlog.DefaultConnectionTracer},
		DisableCompression: true,
	}
	defer transport.Close()
	var body io.Reader
	if *upload != "" {
		file, err := os.Open(*upload)
		if err != nil {
			return err
		}
		defer file.Close()
		body = file
	}
	request, err := http.NewRequest(*method, flags.Arg(0), body)
	if err != nil {
		return err
	}
	for i := range *fields {
		request.Header.Set(field(i))
	}
	result := answer{Informational: []int{}}
	trace := &httptrace.ClientTrace{Got1xxResponse: func(status int, _ textproto.MIMEHeader) error {
		result.Informational = append(result.Informational, status)
		return nil
	}}
	response, err := transport.RoundTrip(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	digest := sha256.New()
	if result.BodyLength, err = io.Copy(digest, response.Body); err != nil {
		return err
	}
	result.BodySha256 = hex.EncodeToString(digest.Sum(nil))
	result.Status = response.StatusCode
	result.Headers, result.Fields = flat(response.Header)
	result.Trailers, _ = flat(response.Trailer)
	return json.NewEncoder(os.Stdout).Encode(result)
}
