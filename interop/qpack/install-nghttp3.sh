#!/usr/bin/env bash
# nghttp3's library and headers from Debian, and the program of nghttp3_qpack.c compiled against them.
# Usage: install-nghttp3.sh DIRECTORY. The program is DIRECTORY/nghttp3-qpack. The last line of standard output is the version.
set -euo pipefail

packages=(libnghttp3-dev gcc libc6-dev)

fail() { echo "nghttp3 cannot be had: $1" >&2; exit 1; }

installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

[ $# -eq 1 ] || fail 'usage: install-nghttp3.sh DIRECTORY'
directory=$1
source=$(cd "$(dirname "$0")" && pwd)/nghttp3_qpack.c
program=$directory/nghttp3-qpack

command -v dpkg-query >/dev/null || fail "no dpkg here; it is taken from Debian's package libnghttp3-dev"
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

version=$(dpkg-query -W -f='${Version}' libnghttp3-dev)
mkdir -p "$directory"
if [ ! -x "$program" ] || [ "$source" -nt "$program" ] || [ "$(cat "$directory/nghttp3.version" 2>/dev/null)" != "$version" ]; then
  gcc -std=gnu11 -O2 -Wall -Wextra -Werror -o "$program" "$source" -lnghttp3 >&2 || fail 'nghttp3_qpack.c does not compile'
  echo "$version" >"$directory/nghttp3.version"
fi
echo 'encoder 0 0' | "$program" | grep -qx 'instructions -' || fail 'the program does not answer'
echo "${version%%-*}"
