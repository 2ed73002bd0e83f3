#!/usr/bin/env bash
# aioquic and everything under it, from PyPI at the versions of requirements.txt, into a virtual environment.
# Usage: install.sh DIRECTORY. Does nothing when DIRECTORY already holds these versions.
# The last line of standard output is the version.
set -euo pipefail

fail() { echo "aioquic cannot be had: $1" >&2; exit 1; }

[ $# -eq 1 ] || fail 'usage: install.sh DIRECTORY'
venv=$1
here=$(cd "$(dirname "$0")" && pwd)
requirements=$here/requirements.txt
stamp=$venv/requirements.installed

command -v python3 >/dev/null || fail 'there is no python3'
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "$(python3 --version) is too old, it needs 3.10"

if ! cmp -s "$requirements" "$stamp" || ! "$venv/bin/python" -c 'import aioquic.h3.connection' 2>/dev/null; then
  rm -rf "$venv"
  mkdir -p "$(dirname "$venv")"
  python3 -m venv "$venv" >&2 || fail 'python3 -m venv failed (Debian: package python3-venv)'
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: -r "$requirements" >&2 \
    || fail 'pip could not install requirements.txt'
  "$venv/bin/python" -m pip check --disable-pip-version-check >&2 || fail 'requirements.txt does not fit together'
  cp "$requirements" "$stamp"
fi
"$venv/bin/python" -c 'import aioquic.h3.connection, importlib.metadata as m; print(m.version("aioquic"))' || fail 'it cannot be imported'
