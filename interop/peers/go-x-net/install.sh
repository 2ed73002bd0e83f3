#!/usr/bin/env bash
# The interop program of golang.org/x/net, built with the Go toolchain from the module proxy at the versions of go.mod and go.sum.
# Usage: install.sh DIRECTORY. The program becomes DIRECTORY/interop.
# The last line of standard output is the version.
set -euo pipefail

fail() { echo "go-x-net cannot be had: $1" >&2; exit 1; }

[ $# -eq 1 ] || fail 'usage: install.sh DIRECTORY'
mkdir -p "$1"
target=$(cd "$1" && pwd)
cd "$(dirname "$0")"

command -v go >/dev/null || fail 'there is no go (https://go.dev; Debian: package golang-go)'
version=$(go list -mod=readonly -m -f '{{.Version}}' golang.org/x/net) || fail "$(go version) cannot read go.mod"
go build -mod=readonly -buildvcs=false -o "$target/interop" golang.org/x/net/internal/quic/cmd/interop >&2 || fail 'go build failed'
echo "${version#v}"
