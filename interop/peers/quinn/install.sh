#!/usr/bin/env bash
# quinn (crates.io, versions in Cargo.toml and Cargo.lock) behind src/main.rs. Building takes some minutes, once.
# Usage: install.sh DIRECTORY. The program becomes DIRECTORY/release/quinn-endpoint.
# The last line of standard output is the version.
set -euo pipefail

fail() { echo "quinn cannot be had: $1" >&2; exit 1; }

[ $# -eq 1 ] || fail 'usage: install.sh DIRECTORY'
mkdir -p "$1"
target=$(cd "$1" && pwd)
cd "$(dirname "$0")"

for program in cargo cc; do command -v "$program" >/dev/null || fail "there is no $program"; done

CARGO_TARGET_DIR=$target cargo build --release --locked >"$target/build.log" 2>&1 || fail "the build failed, see $target/build.log"
sed -n 's/^quinn = .*"=\([0-9.]*\)".*/\1/p' Cargo.toml
