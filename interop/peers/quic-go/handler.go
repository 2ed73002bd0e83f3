package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// newHandler serves the files of root, and beside them:
//
//	POST /-/digest    SHA-256 of the request body in hex, its length in the field body-length
//	POST /-/echo      the request body
//	GET  /-/trailers  a body with the trailer x-checksum
//	GET  /-/hints     a 103 with link, then 200
//	GET  /-/fields/N  N large response fields; the body tells how many the request had
//	GET  /-/early     whether the request came in 0-RTT
func newHandler(root string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir(root)))
	mux.HandleFunc("POST /-/digest", func(w http.ResponseWriter, r *http.Request) {
		digest := sha256.New()
		length, err := io.Copy(digest, r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("body-length", strconv.FormatInt(length, 10))
		fmt.Fprint(w, hex.EncodeToString(digest.Sum(nil)))
	})
	mux.HandleFunc("POST /-/echo", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(w, r.Body); err != nil {
			panic(http.ErrAbortHandler)
		}
	})
	mux.HandleFunc("GET /-/trailers", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "x-checksum")
		fmt.Fprint(w, "with trailers")
		w.Header().Set("x-checksum", "abc")
	})
	mux.HandleFunc("GET /-/hints", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("link", "</style.css>; rel=preload; as=style")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("link")
		fmt.Fprint(w, "final")
	})
	mux.HandleFunc("GET /-/fields/{count}", func(w http.ResponseWriter, r *http.Request) {
		count, err := strconv.Atoi(r.PathValue("count"))
		if err != nil || count < 0 || count > 1000 {
			http.Error(w, "count", http.StatusBadRequest)
			return
		}
		_, received := flat(r.Header)
		for i := range count {
			w.Header().Set(field(i))
		}
		fmt.Fprint(w, received)
	})
	mux.HandleFunc("GET /-/early", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, !r.TLS.HandshakeComplete)
	})
	return mux
}
