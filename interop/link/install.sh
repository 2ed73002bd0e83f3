#!/usr/bin/env bash
# What the `tun` back end needs, from Debian: iproute2, socat, iperf (version 2, for cross traffic).
# The last line of standard output is the versions.
set -euo pipefail

packages=(iproute2 socat iperf)

fail() { echo "the network emulator's tools cannot be had: $1" >&2; exit 1; }

installed() { dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

command -v dpkg-query >/dev/null || fail "no dpkg here; they are taken from Debian's packages ${packages[*]}"
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

for program in ip socat iperf; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null || fail "$program is not there after installing ${packages[*]}"
done
versions=$(dpkg-query -W -f='${Package} ${Version}, ' "${packages[@]}")
echo "${versions%, }"
