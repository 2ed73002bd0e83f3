#!/usr/bin/env bash
# kwik and flupke with what they need, from Maven Central at the versions of pom.xml and with the checksums of checksums.txt, and
# Endpoint.java compiled against them.
# Usage: install.sh DIRECTORY. Does nothing when DIRECTORY already holds these versions.
# The last line of standard output is the version.
set -euo pipefail

fail() { echo "kwik cannot be had: $1" >&2; exit 1; }

[ $# -eq 1 ] || fail 'usage: install.sh DIRECTORY'
mkdir -p "$1"
target=$(cd "$1" && pwd)
cd "$(dirname "$0")"

command -v java >/dev/null && command -v javac >/dev/null || fail 'there is no JDK (Debian: package openjdk-17-jdk-headless)'
release=$(javac -version 2>&1 | grep -o '[0-9]*' | head -1)
[ "$release" -ge 17 ] || fail "$(javac -version 2>&1) is too old, it needs 17"

sources=(pom.xml checksums.txt Endpoint.java Identity.java)
if ! sha256sum "${sources[@]}" | cmp -s - "$target/installed"; then
  rm -rf "$target/installed" "$target/classes"
  if ! (cd "$target/lib" && sha256sum --check --quiet --strict) < checksums.txt >/dev/null 2>&1; then
    command -v mvn >/dev/null || fail 'there is no mvn (Debian: package maven)'
    rm -rf "$target/lib"
    mvn --quiet --batch-mode dependency:copy-dependencies -DoutputDirectory="$target/lib" >&2 || fail 'mvn could not get what pom.xml names'
    (cd "$target/lib" && sha256sum --check --quiet --strict) < checksums.txt >&2 || fail 'a file is not the one of checksums.txt'
  fi
  javac --release 17 -cp "$target/lib/*" -d "$target/classes" Endpoint.java Identity.java >&2 || fail 'javac failed'
  sha256sum "${sources[@]}" > "$target/installed"
fi
version=$(grep -o ' kwik-.*\.jar' checksums.txt)
version=${version# kwik-}
echo "${version%.jar}"
