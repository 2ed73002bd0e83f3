#!/usr/bin/env bash
# What the `tun` back end needs, from Debian: iproute2, socat, iperf (version 2, for cross traffic).
# The last line of standard output is the versions.
set -euo pipefail

packages=(iproute2 socat iperf)

fail() { echo "the network emulator's tools cannot be had: $1" >&2; exit 1; }
. "$(dirname "$0")/../process/debian-packages.sh"

debian_packages "${packages[@]}"

for program in ip socat iperf; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null || fail "$program is not there after installing ${packages[*]}"
done
versions=$(dpkg-query -W -f='${Package} ${Version}, ' "${packages[@]}")
echo "${versions%, }"
