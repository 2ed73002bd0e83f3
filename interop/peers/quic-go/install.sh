#!/usr/bin/env bash
# quic-go behind main.go, and for quic-interop-runner behind endpoint/*.go, built with the Go toolchain from the module proxy at the
# versions of go.mod and go.sum.
# Usage: install.sh DIRECTORY. The programs become DIRECTORY/peer and DIRECTORY/endpoint.
# The last line of standard output is the version.
set -euo pipefail

fail() { echo "quic-go cannot be had: $1" >&2; exit 1; }

[ $# -eq 1 ] || fail 'usage: install.sh DIRECTORY'
mkdir -p "$1"
target=$(cd "$1" && pwd)
cd "$(dirname "$0")"

command -v go >/dev/null || fail 'there is no go (https://go.dev; Debian: package golang-go)'
version=$(go list -mod=readonly -m -f '{{.Version}}' github.com/quic-go/quic-go) || fail "$(go version) cannot read go.mod"
go build -mod=readonly -buildvcs=false -o "$target/peer" . >&2 || fail 'go build failed'
go build -mod=readonly -buildvcs=false -o "$target/endpoint" ./endpoint >&2 || fail 'go build ./endpoint failed'
echo "${version#v}"
