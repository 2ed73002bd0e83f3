#!/usr/bin/env bash
# OpenSSL from the sources that the crate openssl-src carries (crates.io, version in Cargo.toml), built with what its QUIC needs, and
# peer.c linked to it. Building takes some minutes.
# Usage: install.sh DIRECTORY. The program becomes DIRECTORY/peer.
# The last line of standard output is the version.
set -euo pipefail

fail() { echo "openssl cannot be had: $1" >&2; exit 1; }

[ $# -eq 1 ] || fail 'usage: install.sh DIRECTORY'
mkdir -p "$1"
target=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
source=$target/source

for program in cargo make perl cc; do command -v "$program" >/dev/null || fail "there is no $program"; done

if [ ! -f "$source/libssl.a" ] || ! cmp -s "$here/Cargo.toml" "$target/built"; then
  rm -rf "$source" "$target/built"
  package=$(cargo metadata --format-version 1 --manifest-path "$here/Cargo.toml" --locked \
    | python3 -c 'import json, sys; print(*(p["manifest_path"] for p in json.load(sys.stdin)["packages"] if p["name"] == "openssl-src"))') \
    || fail 'cargo cannot fetch openssl-src'
  cp -r "$(dirname "$package")/openssl" "$source"
  (
    cd "$source"
    ./Configure no-shared no-tests no-docs no-apps no-legacy no-module no-cmp no-cms no-ts no-srp no-rfc3779 no-sm2 no-sm3 no-sm4 \
      no-camellia no-aria no-idea no-rc2 no-rc4 no-bf no-cast no-md4 no-rmd160 no-blake2 no-dsa no-gost no-slh-dsa no-ec2m >&2
    make -j"$(nproc)" build_generated >&2
    make -j"$(nproc)" libcrypto.a libssl.a >&2
  ) >"$target/build.log" 2>&1 || fail "the build failed, see $target/build.log"
  cp "$here/Cargo.toml" "$target/built"
fi
cc -Wall -Wextra -O1 -I"$source/include" "$here/peer.c" -o "$target/peer" "$source/libssl.a" "$source/libcrypto.a" -lpthread -ldl >&2 \
  || fail 'peer.c cannot be built'
"$target/peer" version
