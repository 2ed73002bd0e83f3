#!/usr/bin/env bash
# Firefox ESR, and certutil for its certificate database, from Debian, which carries only the current release: no pin is possible, the version is printed.
# The last line of standard output is the version.
set -euo pipefail

fail() { echo "firefox-esr cannot be had: $1" >&2; exit 1; }

if ! command -v firefox-esr >/dev/null || ! command -v certutil >/dev/null; then
  command -v apt-get >/dev/null || fail "no apt-get here; it is taken from Debian's packages firefox-esr and libnss3-tools"
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail 'installing it needs root'
    as_root=(sudo -n)
  fi
  apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq)
  "${apt[@]}" update >&2 || fail 'apt-get update failed'
  "${apt[@]}" install -y --no-install-recommends firefox-esr libnss3-tools >&2 || fail 'apt-get install firefox-esr libnss3-tools failed'
fi

version=$(firefox-esr --version 2>/dev/null) || fail 'firefox-esr --version failed'
echo "$version" | awk '{ print $NF }'
