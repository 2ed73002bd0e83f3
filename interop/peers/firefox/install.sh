#!/usr/bin/env bash
# Firefox ESR, and certutil for its certificate database, from Debian, which carries only the current release: no pin is possible, the version is printed.
# The last line of standard output is the version.
set -euo pipefail

fail() { echo "firefox-esr cannot be had: $1" >&2; exit 1; }
. "$(dirname "$0")/../../process/debian-packages.sh"

debian_packages firefox-esr libnss3-tools

version=$(firefox-esr --version 2>/dev/null) || fail 'firefox-esr --version failed'
echo "$version" | awk '{ print $NF }'
