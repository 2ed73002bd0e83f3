// `roots: 'system'` through connect(): the operating system's store as OpenSSL's variables name it, on a Node that can tell of it by itself
// (22.15, 23.10) and on one that cannot. In a file of its own: Node reads that store once in a process.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { nodeProvider } from '@quicwire/quic/crypto-node'
import { createDevCertificate } from '../../../quic/src/tls/certificates/development.ts'
import { ClientSocket, clientH3Driver, connect, listen, MemoryNetwork, serverH3Driver, type CertificateOption } from '../../src/index.ts'
import { certificate, development } from '../support.ts'

const directory = mkdtempSync(join(tmpdir(), 'quicwire-system-roots-'))
const empty = join(directory, 'empty')
mkdirSync(empty)
writeFileSync(join(directory, 'store.pem'), development.certificatePem)
process.env['SSL_CERT_FILE'] = join(directory, 'store.pem')
process.env['SSL_CERT_DIR'] = empty
afterAll(() => rmSync(directory, { recursive: true }))

const elsewhere = createDevCertificate(nodeProvider, { names: ['localhost'], unixTimeMs: Date.now() })
const stranger: CertificateOption = { cert: elsewhere.certificatePem, key: elsewhere.privateKeyPem }

async function outcome(shown: CertificateOption, tls: Parameters<typeof connect>[0]['tls']): Promise<unknown> {
  const network = new MemoryNetwork()
  const listener = await listen({ socket: network.bind('127.0.0.1', 4433), tls: { certificates: [shown] } })
  const socket = await ClientSocket.over(network.bind('127.0.0.1'))
  void (async () => {
    for await (const incoming of listener) incoming.start(serverH3Driver().driver)
  })()
  const common = { host: '127.0.0.1', port: 4433, serverName: 'localhost', sessionStore: null, application: clientH3Driver().driver }
  try {
    return (await connect({ ...common, tls, socket })).handshakeInfo
  } catch (error) {
    return error
  } finally {
    await socket.close()
    await listener.close()
  }
}

// macOS and Windows have stores of their own, which a test does not write to.
it.runIf(process.platform === 'linux')("trusts what is in the system's store, and nothing else", async () => {
  expect(await outcome(certificate, { roots: 'system' })).toMatchObject({ peerVerified: true })
  const refused = { code: 'QUIC_CERTIFICATE_REFUSED', certificateCheck: 'self-signed' }
  expect(await outcome(stranger, { roots: 'system' })).toMatchObject(refused)
  expect(await outcome(stranger, { roots: 'system', extraCa: elsewhere.certificatePem })).toMatchObject({ peerVerified: true })
  // Node's own roots do not have what the system has.
  expect(await outcome(certificate, { roots: 'node' })).toMatchObject(refused)
})
