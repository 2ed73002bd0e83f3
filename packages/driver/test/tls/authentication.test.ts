// Who is whom, as the options of listen() and connect() say it: client certificates, verdicts, contexts, keys elsewhere, pinned hashes,
// certificates replaced while the server runs. Real engines over memory.

import { createPrivateKey } from 'node:crypto'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { nodeProvider } from '@quicwire/quic/crypto-node'
import { createDevCertificate } from '../../../quic/src/tls/certificates/development.ts'
import { CLIENT_AUTH, issue } from '../../../quic/test/tls/certificates/authority.ts'
import { refusedChains } from '../../../quic/test/tls/certificates/refused.ts'
import {
  ClientSocket,
  clientH3Driver,
  connect,
  externalKey,
  listen,
  MemoryNetwork,
  MemorySessionStore,
  serverH3Driver,
  type CertificateOption,
  type ClientTlsOptions,
  type CryptoChoice,
  type QuicConnection,
  type QuicListener,
  type SessionStore,
  type ServerTlsOptions,
} from '../../src/index.ts'
import { certificate, development, settle } from '../support.ts'

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const end of open.splice(0)) await end.close()
})

interface Site {
  readonly listener: QuicListener
  /** Resolves with both ends of a new connection; rejects with what connect() says. */
  connect(
    tls?: ClientTlsOptions,
    serverName?: string,
    sessionStore?: SessionStore,
  ): Promise<{ readonly client: QuicConnection; readonly server: QuicConnection }>
}

async function serve(tls: ServerTlsOptions, crypto?: CryptoChoice): Promise<Site> {
  const network = new MemoryNetwork()
  const listener = await listen({ socket: network.bind('127.0.0.1', 4433), tls, crypto })
  const socket = await ClientSocket.over(network.bind('127.0.0.1'))
  open.push(socket, listener)
  const accepted: QuicConnection[] = []
  const accepting = async (): Promise<void> => {
    for await (const incoming of listener) accepted.push(incoming.start(serverH3Driver().driver))
  }
  void accepting()
  return {
    listener,
    async connect(options = {}, serverName = 'localhost', sessionStore) {
      const client = await connect({
        host: '127.0.0.1',
        port: 4433,
        serverName,
        tls: { ca: development.certificatePem, ...options },
        socket,
        crypto,
        sessionStore,
        application: clientH3Driver().driver,
      })
      const server = accepted.at(-1)!
      await server.established
      return { client, server }
    },
  }
}

/** Error codes of connect(), or of the first thing the client does when the server refuses it later. */
async function refusal(site: Site, tls?: ClientTlsOptions, serverName?: string): Promise<unknown> {
  try {
    const { client } = await site.connect(tls, serverName)
    return `connected as ${client.alpn ?? '?'}`
  } catch (error) {
    return error
  }
}

function shown(connection: QuicConnection): readonly Uint8Array[] {
  return connection.handshakeInfo!.peerCertificates
}

const NOW = Date.now()
const DAY = 86_400_000
const CLIENTS = issue({ name: 'clients', ca: true, notBefore: NOW - DAY, notAfter: NOW + DAY })
const ALICE = issue({ name: 'alice', issuer: CLIENTS, extendedKeyUsage: [CLIENT_AUTH], notBefore: NOW - DAY, notAfter: NOW + DAY })
const alice: CertificateOption = { cert: ALICE.der, key: ALICE.pair.pkcs8 }

describe('client certificates', () => {
  for (const crypto of ['node', 'noble'] as const) {
    it(`are shown to a server that asks, with ${crypto}`, async () => {
      const site = await serve({ certificates: [certificate], clientAuthentication: { required: true, ca: CLIENTS.der } }, crypto)
      const { server } = await site.connect({ certificates: [certificate, alice] })
      expect(shown(server)).toEqual([ALICE.der])
      expect(server.handshakeInfo!.peerVerified).toBe(true)
    })
  }

  it('judged by the application last', async () => {
    const seen: string[] = []
    const site = await serve({
      certificates: [certificate],
      clientAuthentication: { ca: CLIENTS.der },
      verifyPeer: async ({ certificates }) => {
        seen.push(`${certificates.length}`)
        await Promise.resolve()
        return null
      },
    })
    expect(shown((await site.connect({ certificates: [alice] })).server)).toEqual([ALICE.der])
    expect(shown((await site.connect()).server)).toEqual([])
    expect(seen).toEqual(['1'])
  })
})

describe('a listener that has been there for days', () => {
  it('judges by the clock of today, also where time stood still for the process, as on a machine that slept', async () => {
    const site = await serve({ certificates: [certificate], clientAuthentication: { required: true, ca: CLIENTS.der } })
    const options = { certificates: [alice], verifyTime: NOW }
    expect(shown((await site.connect(options)).server)).toEqual([ALICE.der])
    const today = vi.spyOn(Date, 'now').mockImplementation(() => NOW + 3 * DAY)
    onTestFinished(() => today.mockRestore())
    expect(await refusal(site, options)).toMatchObject({ code: 'QUIC_CERTIFICATE_REFUSED', certificateCheck: 'expired' })
  })
})

describe('verifyPeer of a client', () => {
  it('accepts, and refuses with its reason', async () => {
    const site = await serve({ certificates: [certificate] })
    const { client } = await site.connect({ verifyPeer: ({ serverName }) => (serverName === 'localhost' ? null : 'another name') })
    expect(client.handshakeInfo!.peerVerified).toBe(true)
    expect(await refusal(site, { verifyPeer: () => 'revoked' })).toMatchObject({ code: 'QUIC_CERTIFICATE_REFUSED', message: expect.stringContaining('revoked') })
  })

  it('that fails refuses, and its failure becomes a warning of the process', async () => {
    const site = await serve({ certificates: [certificate] })
    const failure = new Error('no answer from the log')
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => warned.mockRestore())
    expect(await refusal(site, { verifyPeer: () => Promise.reject(failure) })).toMatchObject({ code: 'QUIC_CERTIFICATE_REFUSED' })
    expect(warned.mock.calls).toEqual([[failure, 'QuicwireTls']])
  })
})

describe('a server', () => {
  it('finds its context by name, later, and refuses names it does not serve', async () => {
    const own = { certificates: [certificate], alpn: ['h3'] }
    const asked: (string | null)[] = []
    const site = await serve({
      selectContext: async ({ serverName }) => {
        asked.push(serverName)
        await Promise.resolve()
        return serverName === 'localhost' ? own : null
      },
    })
    expect(shown((await site.connect()).client)).toHaveLength(1)
    expect(await refusal(site, { insecure: true }, 'elsewhere.example')).toMatchObject({ code: 'QUIC_HANDSHAKE_FAILED' })
    expect(asked).toEqual(['localhost', 'elsewhere.example'])
  })

  it('chooses the protocol, or none', async () => {
    const site = await serve({ certificates: [certificate], selectProtocol: (offered) => offered.find((name) => name === 'h3') ?? null })
    expect((await site.connect({ alpn: ['x', 'h3'] })).client.handshakeInfo!.alpn).toBe('h3')
    expect(await refusal(site, { alpn: ['x'] })).toMatchObject({ code: 'QUIC_HANDSHAKE_FAILED' })
  })

  it('signs with a key that is elsewhere', async () => {
    const key = nodeProvider.importPrivateKey(development.privateKeyPem)
    const remote = externalKey({
      kind: 'p256',
      sign: async (scheme, message) => {
        await Promise.resolve()
        return key.sign(scheme, message)!
      },
    })
    const site = await serve({ certificates: [{ cert: development.certificatePem, key: remote }] })
    expect((await site.connect()).client.handshakeInfo!.signatureScheme).toBe(0x0403)
    const broken = externalKey({ kind: 'p256', sign: () => Promise.reject(new Error('unplugged')) })
    const other = await serve({ certificates: [{ cert: development.certificatePem, key: broken }] })
    expect(await refusal(other)).toMatchObject({ code: 'QUIC_HANDSHAKE_FAILED' })
  })

  it('takes its key as PEM, as bytes of PEM, as PKCS#8 and as KeyObject', async () => {
    const keyObject = createPrivateKey(development.privateKeyPem)
    for (const key of [development.privateKeyPem, Buffer.from(development.privateKeyPem), development.privateKey, keyObject]) {
      const site = await serve({ certificates: [{ cert: development.certificatePem, key }] })
      expect(shown((await site.connect()).client)).toHaveLength(1)
    }
  })

  it('gets new certificates while it runs', async () => {
    const site = await serve({ certificates: [certificate] })
    expect(shown((await site.connect()).client)).toEqual([development.certificate])
    const renewed = createDevCertificate(nodeProvider, { names: ['localhost'], days: 3, unixTimeMs: NOW })
    site.listener.setCertificates([{ cert: renewed.certificatePem, key: renewed.privateKeyPem }])
    expect(shown((await site.connect({ ca: renewed.certificatePem })).client)).toEqual([renewed.certificate])
    expect(() => site.listener.setCertificates([])).toThrow(expect.objectContaining({ code: 'QUIC_INVALID_OPTION' }))
    const selecting = await serve({ selectCertificate: () => certificate })
    expect(() => selecting.listener.setCertificates([certificate])).toThrow(expect.objectContaining({ code: 'QUIC_INVALID_OPTION' }))
  })

  it('staples for who asks', async () => {
    const ocspResponse = Uint8Array.of(0x30, 3, 0x0a, 1, 0)
    const site = await serve({ certificates: [{ ...certificate, ocspResponse }] })
    expect((await site.connect({ statusRequest: true })).client.handshakeInfo!.ocspResponse).toEqual(ocspResponse)
    expect((await site.connect()).client.handshakeInfo!.ocspResponse).toBeNull()
  })
})

describe('key shares', () => {
  it('for groups the server does not take cost a HelloRetryRequest', async () => {
    const site = await serve({ certificates: [certificate], groups: [0x0017] })
    const groups = [0x001d, 0x0017] as const
    expect((await site.connect({ groups, keyShares: [0x001d] })).client.handshakeInfo!).toMatchObject({ helloRetry: true, group: 0x0017 })
    expect((await site.connect({ groups, keyShares: [0x0017] }, 'localhost', new MemorySessionStore())).client.handshakeInfo!.helloRetry).toBe(false)
  })
})

describe('trust', () => {
  it('in a certificate by its hash, in any spelling', async () => {
    const site = await serve({ certificates: [certificate] })
    const hash = development.sha256
    const colons = hash.toUpperCase().replace(/(..)(?=.)/g, '$1:')
    for (const pin of [hash, colons, new Uint8Array(Buffer.from(hash, 'hex'))]) {
      const { client } = await site.connect({ ca: undefined, serverCertificateHashes: ['00'.repeat(32), pin] }, 'any.example')
      expect(client.handshakeInfo!.peerVerified).toBe(true)
    }
    expect(await refusal(site, { serverCertificateHashes: ['00'.repeat(32)] })).toMatchObject({ code: 'QUIC_CERTIFICATE_REFUSED' })
    for (const hashes of [[], ['00'], ['zz'.repeat(32)]]) {
      expect(await refusal(site, { serverCertificateHashes: hashes })).toMatchObject({ code: 'QUIC_INVALID_OPTION' })
    }
  })

  it('in further roots besides those that are there', async () => {
    const site = await serve({ certificates: [certificate] })
    expect(shown((await site.connect({ ca: undefined, extraCa: development.certificatePem })).client)).toHaveLength(1)
    expect(shown((await site.connect({ ca: CLIENTS.der, extraCa: development.certificatePem })).client)).toHaveLength(1)
    expect(await refusal(site, { ca: undefined, extraCa: CLIENTS.der })).toMatchObject({ code: 'QUIC_CERTIFICATE_REFUSED' })
  })
})

describe('sessions', () => {
  it('are resumed by those who trust alike, and by nobody else', async () => {
    const site = await serve({ certificates: [certificate] })
    const sessionStore = new MemorySessionStore()
    const resumed = async (tls: ClientTlsOptions): Promise<boolean> => {
      const { client } = await site.connect(tls, 'localhost', sessionStore)
      await settle()
      return client.handshakeInfo!.resumed
    }
    expect(await resumed({})).toBe(false)
    expect(await resumed({})).toBe(true)
    const pinned = { ca: undefined, serverCertificateHashes: [development.sha256] }
    expect(await resumed(pinned)).toBe(false)
    expect(await resumed(pinned)).toBe(true)
    expect(await resumed({ certificates: [alice] })).toBe(false)
    expect(await resumed({ insecure: true })).toBe(false)
  })

  it('are not kept by default where the application judges, and never where clients show certificates', async () => {
    const site = await serve({ certificates: [certificate] })
    for (let i = 0; i < 2; i++) {
      const { client } = await site.connect({ verifyPeer: () => null })
      await settle()
      expect(client.handshakeInfo!.resumed).toBe(false)
    }
    const asking = await serve({ certificates: [certificate], clientAuthentication: { ca: CLIENTS.der } })
    for (let i = 0; i < 2; i++) {
      const { client, server } = await asking.connect({ certificates: [alice] })
      await settle()
      expect(client.handshakeInfo!.resumed).toBe(false)
      expect(shown(server)).toEqual([ALICE.der])
    }
  })
})

describe('a certificate that must be refused', () => {
  const pinnedWrongly: readonly [check: string, wish: Parameters<typeof issue>[0], own: boolean][] = [
    ['pin-mismatch', {}, false],
    ['validity-too-long', { notBefore: NOW - DAY, notAfter: NOW + 13 * DAY + 1000 }, true],
    ['unsupported-algorithm', { kind: 'p384' }, true],
    ['expired', { notAfter: NOW - 1000 }, true],
    ['not-yet-valid', { notBefore: NOW + DAY / 2 }, true],
  ]
  for (const [check, wish, own] of pinnedWrongly) {
    it(`is, though its hash is asked for: ${check}`, async () => {
      const { der, pair } = issue({ name: 'pinned', notBefore: NOW - DAY, notAfter: NOW + DAY, ...wish })
      const site = await serve({ certificates: [{ cert: der, key: pair.pkcs8 }] })
      const serverCertificateHashes = own ? [nodeProvider.hash('sha256', der)] : ['00'.repeat(32)]
      expect(await refusal(site, { serverCertificateHashes })).toMatchObject({ code: 'QUIC_CERTIFICATE_REFUSED', certificateCheck: check })
    })
  }

  const { root, chains } = refusedChains(NOW)
  for (const [check, chain] of Object.entries(chains)) {
    it(`is, with a code of its own: ${check}`, async () => {
      const site = await serve({ certificates: [{ cert: chain.map(({ der }) => der), key: chain[0]!.pair.pkcs8 }] })
      expect(await refusal(site, { ca: root.der })).toMatchObject({ code: 'QUIC_CERTIFICATE_REFUSED', certificateCheck: check })
    })
  }
})
