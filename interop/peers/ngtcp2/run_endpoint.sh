#!/usr/bin/env bash
# ngtcp2's example programs as an endpoint of quic-interop-runner; ../../runner/endpoint.ts lists the environment variables.
# They speak HTTP/3 only, so this is for TESTCASE http3 only. Exit status: 0 done, 127 the TESTCASE is not supported, 1 failed.
set -euo pipefail

if [ "${TESTCASE:-}" != http3 ]; then
  echo "TESTCASE ${TESTCASE:-} is not supported" >&2
  exit 127
fi

# Debian installs the server in /usr/sbin, which is not on everybody's path. GnuTLS writes to SSLKEYLOGFILE by itself.
PATH=$PATH:/usr/sbin
options=(--quiet --timeout=3m --handshake-timeout=3m)
if [ -n "${QLOGDIR:-}" ]; then
  mkdir -p "$QLOGDIR"
  options+=("--qlog-dir=$QLOGDIR")
fi

case "${ROLE:-}" in
  server)
    certificates=${CERTS:-/certs}
    address=${LISTEN_ADDRESS:-::}
    # Its :: is IPv6 alone, its * is both.
    if [ "$address" = :: ]; then address='*'; fi
    exec gtlsserver "${options[@]}" -d "${WWW:-/www}" "$address" "${LISTEN_PORT:-443}" "$certificates/priv.key" "$certificates/cert.pem"
    ;;
  client)
    downloads=${DOWNLOADS:-/downloads}
    read -ra urls <<< "${REQUESTS:-}"
    authority=${urls[0]#https://}
    authority=${authority%%/*}
    host=${authority%:*}
    port=${authority##*:}
    if [ "$host" = "$authority" ]; then port=443; fi
    gtlsclient "${options[@]}" --exit-on-all-streams-close --download="$downloads" "$host" "$port" "${urls[@]}"
    # It ends with 0 whatever happened.
    for url in "${urls[@]}"; do
      if [ ! -f "$downloads/${url##*/}" ]; then
        echo "${url##*/} did not come" >&2
        exit 1
      fi
    done
    ;;
  *)
    echo "ROLE is client or server, not ${ROLE:-absent}" >&2
    exit 1
    ;;
esac
