#!/usr/bin/env bash
# Node 26, whose node:ffi can mark packets with ECN, for the endpoint under the local runner: from the npm package `node`, where .ci/run
# keeps it too. Prints where the program is.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=26.10.0
home=node_modules/.cache/node-$version
program=$home/node_modules/node/bin/node

if [ ! -x "$program" ]; then
  mkdir -p "$home"
  echo '{"private":true}' > "$home/package.json"
  # Its preinstall script puts the binary of this platform in place.
  npm install --prefix "$home" --no-audit --no-fund --no-save --ignore-scripts=false --loglevel=error "node@$version" >&2
fi
"$program" --version >&2
echo "$PWD/$program"
