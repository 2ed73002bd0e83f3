#!/usr/bin/env bash
# ngtcp2's example programs with GnuTLS, from Debian. Debian carries one version per release, so the pin is the series
# that the flags in peer.ts were written against; another series is refused rather than misread.
# The last line of standard output is the version.
set -euo pipefail

packages=(ngtcp2-client ngtcp2-server)
series='0.12.'

fail() { echo "ngtcp2 cannot be had: $1" >&2; exit 1; }
. "$(dirname "$0")/../../process/debian-packages.sh"

debian_packages "${packages[@]}"

for program in gtlsclient gtlsserver; do
  PATH="$PATH:/usr/sbin" command -v "$program" >/dev/null || fail "$program is not there after installing ${packages[*]}"
done
version=$(dpkg-query -W -f='${Version}' ngtcp2-server)
case "$version" in
  "$series"*) ;;
  *) fail "version $version, the wrapper is written for ${series}x" ;;
esac
echo "${version%%+*}"
