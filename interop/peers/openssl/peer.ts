// OpenSSL's own QUIC behind peer.c: handshakes only, which it does without early data.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { handshakeProgram } from '../handshake-program.ts'
import { runInstallScript } from '../install-script.ts'
import type { Peer } from '../peer.ts'

const directory = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/openssl', import.meta.url))

export const openssl: Peer = {
  name: 'openssl',
  install: () => runInstallScript(new URL('install.sh', import.meta.url), [directory]),
  tls: handshakeProgram('openssl', join(directory, 'peer'), (group) => group),
}
