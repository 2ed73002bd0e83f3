#!/usr/bin/env bash
# The interop program of golang.org/x/net as an endpoint of quic-interop-runner; ../../runner/endpoint.ts lists the environment variables.
# Usage: run_endpoint.sh PROGRAM. Exit status: 0 done, 127 the TESTCASE is not supported, 1 failed.
set -euo pipefail

program=$1
# Its handshakes have 10 s. With a post-quantum share the ClientHello takes two datagrams, and where the runner drops the second to the
# seventh, the eighth comes later than that.
export GODEBUG=tlsmlkem=0
options=()
if [ -n "${QLOGDIR:-}" ]; then
  mkdir -p "$QLOGDIR"
  options+=("-qlog=$QLOGDIR")
fi

case "${ROLE:-}" in
  server)
    certificates=${CERTS:-/certs}
    address=${LISTEN_ADDRESS:-::}
    # Brackets are IPv6's.
    case "$address" in *:*) address="[$address]" ;; esac
    exec "$program" "${options[@]}" -listen="$address:${LISTEN_PORT:-443}" -root="${WWW:-/www}" \
      -cert="$certificates/cert.pem" -key="$certificates/priv.key"
    ;;
  client)
    read -ra urls <<< "${REQUESTS:-}"
    # TESTCASE is looked at by the program. It ends with 0 when a download fails, too, and says so in its output only.
    output=$("$program" "${options[@]}" -output="${DOWNLOADS:-/downloads}" "${urls[@]}" 2>&1) || { status=$?; echo "$output" >&2; exit "$status"; }
    echo "$output"
    fetched=$(grep -c ' fetched ' <<< "$output") || true
    if [ "$fetched" -ne "${#urls[@]}" ]; then exit 1; fi
    ;;
  *)
    echo "ROLE is client or server, not ${ROLE:-absent}" >&2
    exit 1
    ;;
esac
