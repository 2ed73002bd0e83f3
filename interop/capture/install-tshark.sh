#!/usr/bin/env bash
# Wireshark's tshark, from Debian, for a second reading of captures. Fields and their names are those of 4.x.
# The last line of standard output is the version.
set -euo pipefail

fail() { echo "tshark cannot be had: $1" >&2; exit 1; }

if ! command -v tshark >/dev/null; then
  command -v apt-get >/dev/null || fail "no apt-get here; it is taken from Debian's package tshark"
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail 'installing it needs root'
    as_root=(sudo -n)
  fi
  apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq)
  "${apt[@]}" update >&2 || fail 'apt-get update failed'
  "${apt[@]}" install -y --no-install-recommends tshark >&2 || fail 'apt-get install tshark failed'
fi

version=$(tshark --version 2>/dev/null | sed -n '1s/^TShark (Wireshark) \([0-9.]*[0-9]\).*/\1/p')
case "$version" in
  4.*) ;;
  *) fail "version '$version', the reading is written for 4.x" ;;
esac
echo "$version"
