#!/usr/bin/env bash
# Wireshark's tshark, from Debian, for a second reading of captures. Fields and their names are those of 4.x.
# The last line of standard output is the version.
set -euo pipefail

fail() { echo "tshark cannot be had: $1" >&2; exit 1; }
. "$(dirname "$0")/../process/debian-packages.sh"

command -v tshark >/dev/null || debian_packages tshark

version=$(tshark --version 2>/dev/null | sed -n '1s/^TShark (Wireshark) \([0-9.]*[0-9]\).*/\1/p')
case "$version" in
  4.*) ;;
  *) fail "version '$version', the reading is written for 4.x" ;;
esac
echo "$version"
