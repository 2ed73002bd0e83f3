// quiche with BoringSSL behind src/main.rs: handshakes only.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { handshakeProgram } from '../handshake-program.ts'
import { runInstallScript } from '../install-script.ts'
import type { Peer } from '../peer.ts'

const directory = fileURLToPath(new URL('../../../node_modules/.cache/quicwire/interop/quiche', import.meta.url))

/** As BoringSSL calls them. */
const CURVES: Readonly<Record<string, string>> = { secp256r1: 'P-256', secp384r1: 'P-384', x25519: 'X25519', x25519mlkem768: 'X25519MLKEM768' }

export const quiche: Peer = {
  name: 'quiche',
  install: () => runInstallScript(new URL('install.sh', import.meta.url), [directory]),
  tls: handshakeProgram('quiche', join(directory, 'release', 'quiche-peer'), (group) => CURVES[group]!),
}
