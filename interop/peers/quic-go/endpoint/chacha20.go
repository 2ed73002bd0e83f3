package main

import (
	"crypto/tls"
	_ "unsafe" // for go:linkname
)

// What a client offers of TLS 1.3, with and without instructions for AES: crypto/tls has no setting for it, but lets others reach these.

//go:linkname offered crypto/tls.defaultCipherSuitesTLS13
var offered []uint16

//go:linkname offeredWithoutAES crypto/tls.defaultCipherSuitesTLS13NoAES
var offeredWithoutAES []uint16

func offerChacha20Only() {
	offered = []uint16{tls.TLS_CHACHA20_POLY1305_SHA256}
	offeredWithoutAES = offered
}
