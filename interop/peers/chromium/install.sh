#!/usr/bin/env bash
# Chromium from Debian, which carries only the current release: no pin is possible, the version is printed.
# The last line of standard output is the version.
set -euo pipefail

fail() { echo "chromium cannot be had: $1" >&2; exit 1; }
. "$(dirname "$0")/../../process/debian-packages.sh"

command -v chromium >/dev/null || debian_packages chromium

version=$(chromium --version 2>/dev/null) || fail 'chromium --version failed'
echo "$version" | awk '{ print $2 }'
