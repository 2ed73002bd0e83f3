#!/usr/bin/env bash
# ngtcp2's example programs with GnuTLS, from Debian. Debian carries one version per release, so the pin is the series
# that the flags in peer.ts were written against; another series is refused rather than misread.
# The last line of standard output is the version.
set -euo pipefail

packages=(ngtcp2-client ngtcp2-server)
series='0.12.'

fail() { echo "ngtcp2 cannot be had: $1" >&2; exit 1; }

installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

command -v dpkg-query >/dev/null || fail "no dpkg here; it is taken from Debian's packages ${packages[*]}"
missing=()
for package in "${packages[@]}"; do installed "$package" || missing+=("$package"); done

if [ "${#missing[@]}" -gt 0 ]; then
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "installing ${missing[*]} needs root"
    as_root=(sudo -n)
  fi
  apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq)
  "${apt[@]}" update >&2 || fail 'apt-get update failed'
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >&2 || fail "apt-get install ${missing[*]} failed"
fi

for program in gtlsclient gtlsserver; do
  PATH="$PATH:/usr/sbin" command -v "$program" >/dev/null || fail "$program is not there after installing ${packages[*]}"
done
version=$(dpkg-query -W -f='${Version}' ngtcp2-server)
case "$version" in
  "$series"*) ;;
  *) fail "version $version, the wrapper is written for ${series}x" ;;
esac
echo "${version%%+*}"
