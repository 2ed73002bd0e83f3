// Cipher suites and groups by their names, roots of this machine, and what only both ends of a connection can derive. Real engines over
// memory.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { expect, it, onTestFinished } from 'vitest'
import {
  cipherSuiteName,
  clientH3Driver,
  ClientSocket,
  connect,
  groupName,
  listen,
  MemoryNetwork,
  serverH3Driver,
  type ClientTlsOptions,
  type QuicConnection,
  type ServerTlsOptions,
} from '../../src/index.ts'
import { machineCertificates, machineRoots, systemBundle } from '../../src/tls/trust-store.ts'
import { certificate, development } from '../support.ts'

interface Ends {
  readonly client: QuicConnection
  readonly server: QuicConnection
}

async function meet(options: ClientTlsOptions = {}, forServer: Partial<ServerTlsOptions> = {}): Promise<Ends> {
  const network = new MemoryNetwork()
  const listener = await listen({ socket: network.bind('127.0.0.1', 4433), tls: { certificates: [certificate], ...forServer } })
  const socket = await ClientSocket.over(network.bind('127.0.0.1'))
  onTestFinished(async () => {
    await socket.close()
    await listener.close()
  })
  const accepted: QuicConnection[] = []
  const accepting = async (): Promise<void> => {
    for await (const incoming of listener) accepted.push(incoming.start(serverH3Driver().driver))
  }
  void accepting()
  const client = await connect({
    host: '127.0.0.1',
    port: 4433,
    serverName: 'localhost',
    tls: { ca: development.certificatePem, ...options },
    socket,
    sessionStore: null,
    application: clientH3Driver().driver,
  })
  const server = accepted[0]!
  await server.established
  return { client, server }
}

it('cipher suites are chosen by name: the server prefers in its own order what the client offers', async () => {
  const only = await meet({ cipherSuites: ['TLS_CHACHA20_POLY1305_SHA256'] })
  expect(cipherSuiteName(only.client.handshakeInfo!.cipherSuite)).toBe('TLS_CHACHA20_POLY1305_SHA256')
  const preferred = await meet({}, { cipherSuites: ['TLS_AES_256_GCM_SHA384', 0x1301] })
  expect(cipherSuiteName(preferred.server.handshakeInfo!.cipherSuite)).toBe('TLS_AES_256_GCM_SHA384')
})

it('a client offers reserved values besides (RFC 8701), unless it is told not to', async () => {
  const offered = async (options: ClientTlsOptions): Promise<readonly number[]> => {
    const hellos: (readonly number[])[] = []
    const selectContext: ServerTlsOptions['selectContext'] = ({ cipherSuites }) => {
      hellos.push(cipherSuites)
      return { certificates: [certificate] }
    }
    await meet({ ...options, cipherSuites: ['TLS_AES_128_GCM_SHA256'] }, { selectContext })
    return hellos[0]!
  }
  expect((await offered({})).filter((suite) => (suite & 0x0f0f) === 0x0a0a)).toHaveLength(1)
  expect(await offered({ grease: false })).toEqual([0x1301])
})

it('groups are chosen by the names people know, in any case, for key shares too', async () => {
  for (const [given, name] of [['P-384', 'secp384r1'], ['prime256v1', 'secp256r1'], ['X25519', 'x25519'], ['SecP256r1MLKEM768', 'SecP256r1MLKEM768']] as const) {
    const { client } = await meet({ groups: [given], keyShares: [given] })
    expect(groupName(client.handshakeInfo!.group)).toBe(name)
  }
  const { client } = await meet({ groups: ['x25519', 'P-256'], keyShares: ['x25519'] }, { groups: ['secp256r1'] })
  expect(client.handshakeInfo).toMatchObject({ helloRetry: true, group: 0x17 })
})

it('a HelloRetryRequest carries a sealed cookie where the server has keys for it', async () => {
  const key = new Uint8Array(32).fill(5)
  const { client } = await meet({ groups: ['x25519', 'P-256'], keyShares: ['x25519'] }, { groups: ['P-256'], cookieKeys: [key] })
  expect(client.handshakeInfo).toMatchObject({ helloRetry: true })
  await expect(meet({}, { cookieKeys: [key.subarray(1)] })).rejects.toMatchObject({ code: 'QUIC_INVALID_OPTION', message: expect.stringContaining('cookieKeys') })
})

it('what is no name of a suite or group is refused before anything is sent, with those there are', async () => {
  const refused = (tls: object): Promise<unknown> => meet(tls).then(() => 'connected', (error: unknown) => error)
  expect(await refused({ cipherSuites: ['TLS_RSA_WITH_RC4_128_MD5'] })).toMatchObject({
    code: 'QUIC_INVALID_OPTION',
    message: expect.stringMatching(/tls.cipherSuites: 'TLS_RSA.*TLS_AES_128_GCM_SHA256/),
  })
  expect(await refused({ groups: ['P-521'] })).toMatchObject({ code: 'QUIC_INVALID_OPTION', message: expect.stringMatching(/tls.groups: 'P-521'.*secp384r1/) })
  expect(await refused({ keyShares: [7] })).toMatchObject({ code: 'QUIC_INVALID_OPTION', message: expect.stringContaining("tls.keyShares: '7'") })
  expect(await refused({ ca: undefined, roots: 'mine' })).toMatchObject({ code: 'QUIC_INVALID_OPTION', message: expect.stringContaining('tls.roots') })
})

it('numbers that have no name are written as numbers', () => {
  expect([cipherSuiteName(0x1304), groupName(0x19)]).toEqual(['cipher suite 0x1304', 'group 0x19'])
})

it('both ends export the same keying material, another for every label and context', async () => {
  const { client, server } = await meet()
  const context = Uint8Array.of(1, 2, 3)
  const material = client.exportKeyingMaterial(48, 'EXPORTER-quicwire', context)
  expect(material).toHaveLength(48)
  expect(server.exportKeyingMaterial(48, 'EXPORTER-quicwire', context)).toEqual(material)
  expect(client.exportKeyingMaterial(48, 'EXPORTER-quicwire')).not.toEqual(material)
  expect(client.exportKeyingMaterial(48, 'EXPORTER-other', context)).not.toEqual(material)
  const misuse = { code: 'QUIC_INVALID_OPTION', message: expect.stringContaining('exportKeyingMaterial') }
  expect(() => client.exportKeyingMaterial(0, 'EXPORTER-quicwire')).toThrow(expect.objectContaining(misuse))
  expect(() => client.exportKeyingMaterial(32, 'x'.repeat(250))).toThrow(expect.objectContaining(misuse))
})

it("the roots of Node are those node:tls trusts; a server they do not know is refused", async () => {
  expect(machineCertificates('node').length).toBeGreaterThanOrEqual(rootCertificates.length)
  expect(machineRoots('node')).toBe(machineRoots('node'))
  await expect(meet({ ca: undefined })).rejects.toMatchObject({ code: 'QUIC_CERTIFICATE_REFUSED', message: expect.stringContaining('self-signed') })
})

it('the store of the system is the first file there is, and a system without one is told of', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'quicwire-roots-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const store = join(directory, 'store.pem')
  writeFileSync(store, development.certificatePem)
  expect(systemBundle([join(directory, 'none.pem'), store])).toBe(development.certificatePem)
  expect(() => systemBundle([join(directory, 'none.pem')])).toThrow(expect.objectContaining({ code: 'QUIC_INVALID_OPTION', message: expect.stringContaining('none.pem') }))
})
