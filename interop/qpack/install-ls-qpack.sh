#!/usr/bin/env bash
# ls-qpack behind pylsqpack, from PyPI at the version of requirements.txt, into a virtual environment.
# Usage: install-ls-qpack.sh DIRECTORY. Does nothing when DIRECTORY already holds it. The last line of standard output is the version.
set -euo pipefail

fail() { echo "pylsqpack cannot be had: $1" >&2; exit 1; }

[ $# -eq 1 ] || fail 'usage: install-ls-qpack.sh DIRECTORY'
venv=$1
here=$(cd "$(dirname "$0")" && pwd)
requirements=$here/requirements.txt
stamp=$venv/requirements.installed

command -v python3 >/dev/null || fail 'there is no python3'

if ! cmp -s "$requirements" "$stamp" || ! "$venv/bin/python" -c 'import pylsqpack' 2>/dev/null; then
  rm -rf "$venv"
  mkdir -p "$(dirname "$venv")"
  python3 -m venv "$venv" >&2 || fail 'python3 -m venv failed (Debian: package python3-venv)'
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --only-binary=:all: -r "$requirements" >&2 \
    || fail 'pip could not install requirements.txt'
  cp "$requirements" "$stamp"
fi
"$venv/bin/python" -c 'import pylsqpack, importlib.metadata as m; print(m.version("pylsqpack"))' || fail 'it cannot be imported'
