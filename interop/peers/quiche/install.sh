#!/usr/bin/env bash
# quiche (crates.io, version in Cargo.toml) with the BoringSSL it carries, and on it src/main.rs (handshakes) and src/bin/quiche-endpoint.
# Building takes some minutes.
# Usage: install.sh DIRECTORY. The programs become DIRECTORY/release/quiche-peer and DIRECTORY/release/quiche-endpoint.
# The last line of standard output is the version.
set -euo pipefail

fail() { echo "quiche cannot be had: $1" >&2; exit 1; }

[ $# -eq 1 ] || fail 'usage: install.sh DIRECTORY'
mkdir -p "$1"
target=$(cd "$1" && pwd -P)
cd "$(dirname "$0")"

for program in cargo cmake cc c++ python3; do command -v "$program" >/dev/null || fail "there is no $program"; done

# BoringSSL's bindings are made with libclang; PyPI has it where the system has not.
if [ -z "${LIBCLANG_PATH:-}" ] && ! ldconfig -p | grep -q 'libclang\(-[0-9]*\)\?\.so'; then
  [ -d "$target/clang" ] || python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: --target "$target/clang" libclang==18.1.1 >&2 \
    || fail 'there is no libclang, and pip cannot install it'
  LIBCLANG_PATH=$target/clang/clang/native
  BINDGEN_EXTRA_CLANG_ARGS="-isystem $(cc -print-file-name=include)"
  export LIBCLANG_PATH BINDGEN_EXTRA_CLANG_ARGS
fi
CARGO_TARGET_DIR=$target cargo build --release --locked >"$target/build.log" 2>&1 || fail "the build failed, see $target/build.log"
sed -n 's/^quiche = "=\(.*\)"$/\1/p' Cargo.toml
