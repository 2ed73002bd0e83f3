// Certificates trusted by their hash: the rules of WebTransport's serverCertificateHashes.

import { describe, expect, it } from 'vitest'
import { fromHex } from '../../../src/base/bytes.ts'
import { nodeProvider } from '../../../src/crypto/node/index.ts'
import { createDevCertificate } from '../../../src/tls/certificates/development.ts'
import { CertificateError } from '../../../src/tls/errors.ts'
import { ServerTickets } from '../../../src/tls/resumption/server-tickets.ts'
import { MemorySessionStore } from '../../../src/tls/resumption/session-store.ts'
import { DAY, issue, NOW, type Issued, type Wish } from './authority.ts'
import { clientConfig, codeOf, LEAF, Pair, rewrite, serverConfig } from '../handshake.ts'

const hashOf = ({ der }: Issued): Uint8Array => nodeProvider.hash('sha256', der)

function outcome(issued: Issued, hashes: readonly Uint8Array[], unixTimeMs: number = NOW): string {
  const { failure, complete, client } = new Pair(
    clientConfig({ groups: [0x001d], verify: { mode: 'pinned', hashes, unixTimeMs } }),
    serverConfig({ certificates: [{ chain: [issued.der], key: issued.key }] }),
  ).run()
  if (failure instanceof CertificateError) return `${failure.check}, ${codeOf(failure)}`
  return complete && client.info()!.peerVerified ? 'good' : String(failure)
}

const pinned = (wish: Wish): string => {
  const issued = issue({ name: 'pinned', ...wish })
  return outcome(issued, [hashOf(issued)])
}

describe('verify pinned', () => {
  it('takes the certificate with one of the hashes, whoever issued it and for whatever name', () => {
    expect(pinned({ names: ['elsewhere.example'] })).toBe('good')
    expect(outcome(LEAF, [new Uint8Array(32), hashOf(LEAF)])).toBe('good')
    expect(outcome(LEAF, [new Uint8Array(32)])).toBe('pin-mismatch, alert 46')
  })

  it('takes at most 14 days of validity', () => {
    expect(pinned({ notBefore: NOW - 7 * DAY, notAfter: NOW + 7 * DAY })).toBe('good')
    expect(pinned({ notBefore: NOW - 7 * DAY, notAfter: NOW + 7 * DAY + 1000 })).toBe('validity-too-long, alert 46')
  })

  it('takes it while it is valid', () => {
    expect(pinned({ notAfter: NOW - 1000 })).toBe('expired, alert 45')
    expect(pinned({ notBefore: NOW + 1000 })).toBe('not-yet-valid, alert 45')
  })

  it('takes ECDSA on P-256 only', () => {
    expect(pinned({ kind: 'p384' })).toBe('unsupported-algorithm, alert 43')
    expect(pinned({ kind: 'ed25519' })).toBe('unsupported-algorithm, alert 43')
    expect(pinned({ kind: 'rsa2048' })).toBe('unsupported-algorithm, alert 43')
  })

  it('does without a server name, but not without the proof of the key', () => {
    const verify = { mode: 'pinned', hashes: [hashOf(LEAF)], unixTimeMs: NOW } as const
    const client = clientConfig({ groups: [0x001d], serverName: undefined, verify })
    expect(new Pair(client, serverConfig()).run().complete).toBe(true)
    const spoiled = new Pair(client, serverConfig(), rewrite('server', 15, (body) => body.with(20, body[20]! ^ 1))).run()
    expect(codeOf(spoiled.failure)).toBe('alert 51')
  })

  it('takes what createDevCertificate makes, with its default of 14 days', () => {
    const made = createDevCertificate(nodeProvider, { names: ['localhost'], unixTimeMs: NOW })
    const certificates = [{ chain: [made.certificate], key: nodeProvider.importPrivateKey(made.privateKeyPem) }]
    const verify = { mode: 'pinned', hashes: [fromHex(made.sha256)], unixTimeMs: NOW } as const
    expect(new Pair(clientConfig({ groups: [0x001d], verify }), serverConfig({ certificates })).run().complete).toBe(true)
  })

  it('resumes a session only while its certificate is pinned and valid', () => {
    const sessions = new MemorySessionStore()
    const tickets = new ServerTickets(nodeProvider)
    const resumes = (hashes: readonly Uint8Array[], unixTimeMs: number): boolean => {
      sessions.take('localhost')
      new Pair(clientConfig({ groups: [0x001d], sessions, verify: { mode: 'pinned', hashes: [hashOf(LEAF)], unixTimeMs: NOW } }), serverConfig({ tickets })).run()
      expect(sessions.size).toBeGreaterThan(0)
      const again = new Pair(
        clientConfig({ groups: [0x001d], sessions, verify: { mode: 'pinned', hashes, unixTimeMs } }),
        serverConfig({ tickets, certificates: [{ chain: [LEAF.der], key: LEAF.key }] }),
      ).run()
      return again.client.info()?.resumed === true
    }
    expect(resumes([hashOf(LEAF)], NOW)).toBe(true)
    expect(resumes([new Uint8Array(32)], NOW)).toBe(false)
    expect(resumes([hashOf(LEAF)], NOW + 2 * DAY)).toBe(false)
  })

  it('needs hashes of 32 bytes, and a time', () => {
    const config = (verify: Parameters<typeof clientConfig>[0]): (() => Pair) => () => new Pair(clientConfig(verify), serverConfig())
    for (const hashes of [[], [new Uint8Array(31)]]) {
      expect(config({ verify: { mode: 'pinned', hashes, unixTimeMs: NOW } })).toThrow(expect.objectContaining({ code: 'ERR_TLS_USAGE' }))
    }
    expect(config({ verify: { mode: 'pinned', hashes: [hashOf(LEAF)] } })).toThrow(expect.objectContaining({ code: 'ERR_TLS_USAGE' }))
    const pair = config({ timeOrigin: NOW, verify: { mode: 'pinned', hashes: [hashOf(LEAF)] } })().run()
    expect(pair.complete).toBe(true)
  })
})
