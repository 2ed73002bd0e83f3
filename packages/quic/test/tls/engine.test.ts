// Whole handshakes between two engines. RFC 9846 §2; RFC 9001 §4.

import { describe, expect, it } from 'vitest'
import { nodeProvider } from '../../src/crypto/node/index.ts'
import { nobleProvider } from '../../src/crypto/noble/index.ts'
import type { CipherSuiteId, NamedGroup } from '../../src/crypto/provider.ts'
import { utf8 } from '../../src/base/bytes.ts'
import { TlsEngine } from '../../src/tls/engine.ts'
import type { TlsEvent } from '../../src/tls/events.ts'
import { issue, type KeyChoice } from './certificates/authority.ts'
import { clientConfig, CLIENT_PARAMETERS, codeOf, LEAF, Pair, ROOT, serverConfig, SERVER_PARAMETERS } from './handshake.ts'

const SUITES: CipherSuiteId[] = [0x1301, 0x1302, 0x1303]
const GROUPS: NamedGroup[] = [0x11ec, 0x001d, 0x0017, 0x0018, 0x11eb]
const providers = [nodeProvider, nobleProvider]

function names(events: readonly TlsEvent[]): string[] {
  return events.map((event) => {
    if (event.kind === 'crypto') return `crypto ${event.level} ${event.bytes[0]}`
    if (event.kind === 'keys') return `keys ${event.level} ${event.direction}`
    return event.kind
  })
}

function secrets(events: readonly TlsEvent[], level: number, direction: 'read' | 'write'): Uint8Array[] {
  return events.flatMap((event) => (event.kind === 'keys' && event.level === level && event.direction === direction ? [event.secret] : []))
}

describe('a full handshake', () => {
  it('gives keys before the bytes that need them, and completes once on both sides (RFC 9001 §4.1)', () => {
    const pair = new Pair(clientConfig(), serverConfig()).run()
    expect(pair.failure).toBeNull()
    expect(names(pair.serverEvents)).toEqual([
      'peer-parameters', 'crypto 0 2', 'keys 2 write', 'keys 2 read',
      'crypto 2 8', 'crypto 2 11', 'crypto 2 15', 'crypto 2 20', 'keys 3 write', 'keys 3 read', 'complete',
    ])
    expect(names(pair.clientEvents)).toEqual([
      'crypto 0 1', 'keys 2 read', 'keys 2 write', 'peer-parameters', 'crypto 2 20', 'keys 3 write', 'keys 3 read', 'complete',
    ])
  })

  it('gives both sides the same secrets, crosswise, and each its own', () => {
    const { clientEvents, serverEvents } = new Pair(clientConfig(), serverConfig()).run()
    const all: string[] = []
    for (const level of [2, 3]) {
      const up = secrets(clientEvents, level, 'write')
      const down = secrets(clientEvents, level, 'read')
      expect(up).toEqual(secrets(serverEvents, level, 'read'))
      expect(down).toEqual(secrets(serverEvents, level, 'write'))
      all.push(String(up), String(down))
    }
    expect(new Set(all).size).toBe(4)
  })

  it('carries the transport parameters and tells what was negotiated (RFC 9001 §8.2)', () => {
    const pair = new Pair(clientConfig({ alpn: ['other', 'h3'] }), serverConfig({ alpn: ['h3'] })).run()
    const parameters = (events: readonly TlsEvent[]): unknown => events.find((event) => event.kind === 'peer-parameters')
    expect(parameters(pair.clientEvents)).toEqual({ kind: 'peer-parameters', bytes: SERVER_PARAMETERS })
    expect(parameters(pair.serverEvents)).toEqual({ kind: 'peer-parameters', bytes: CLIENT_PARAMETERS })
    expect(pair.client.info()).toEqual({
      cipherSuite: 0x1301,
      group: 0x11ec,
      alpn: 'h3',
      serverName: 'localhost',
      peerCertificates: [LEAF.der],
      peerVerified: true,
      ocspResponse: null,
      signedCertificateTimestamps: null,
      signatureScheme: 0x0403,
      helloRetry: false,
      resumed: false,
      earlyData: false,
    })
    expect(pair.server.info()).toEqual({ ...pair.client.info(), peerCertificates: [], peerVerified: false })
  })

  it('takes the transport parameters of a server late', () => {
    const pair = new Pair(clientConfig(), serverConfig({ transportParameters: undefined }))
    pair.server.setTransportParameters(SERVER_PARAMETERS)
    expect(pair.run().complete).toBe(true)
  })

  for (const client of providers) {
    for (const server of providers) {
      for (const suite of SUITES) {
        for (const group of GROUPS) {
          it(`${client.name} to ${server.name}, suite ${suite.toString(16)}, group ${group.toString(16)}`, () => {
            const pair = new Pair(
              clientConfig({ provider: client, cipherSuites: [suite], groups: [group] }),
              serverConfig({ provider: server }),
            ).run()
            expect(pair.failure).toBeNull()
            expect(pair.complete).toBe(true)
            expect(pair.client.info()).toMatchObject({ cipherSuite: suite, group })
          })
        }
      }
    }
  }

  const kinds: [KeyChoice, number][] = [['p256', 0x0403], ['p384', 0x0503], ['ed25519', 0x0807], ['rsa2048', 0x0804]]
  for (const [kind, scheme] of kinds) {
    it(`with a server key of kind ${kind} under an authority of the same kind`, () => {
      const root = issue({ name: `root ${kind}`, kind, ca: true })
      const leaf = issue({ name: `leaf ${kind}`, kind, issuer: root })
      const pair = new Pair(
        clientConfig({ verify: { mode: 'chain', roots: [root.der], unixTimeMs: Date.UTC(2026, 5, 1) } }),
        serverConfig({ certificates: [{ chain: [leaf.der], key: leaf.key }] }),
      ).run()
      expect(pair.failure).toBeNull()
      expect(pair.client.info()?.signatureScheme).toBe(scheme)
      expect(pair.complete).toBe(true)
    })
  }

  it('chooses the certificate that speaks for the name, and else the first (RFC 6066 §3)', () => {
    const a = issue({ issuer: ROOT, name: 'a', names: ['a.example'] })
    const b = issue({ issuer: ROOT, name: 'b', names: ['*.b.example'] })
    const certificates = [a, b].map(({ der, key }) => ({ chain: [der], key }))
    const chosen = (serverName: string): unknown => {
      const pair = new Pair(clientConfig({ serverName, verify: { mode: 'insecure' } }), serverConfig({ certificates })).run()
      return pair.client.info()?.peerCertificates
    }
    expect(chosen('a.example')).toEqual([a.der])
    expect(chosen('x.b.example')).toEqual([b.der])
    expect(chosen('elsewhere.example')).toEqual([a.der])
  })

  it('sends no server name for an IP address (RFC 6066 §3)', () => {
    const leaf = issue({ issuer: ROOT, name: 'ip', names: ['127.0.0.1', '::1'] })
    for (const serverName of ['127.0.0.1', '[::1]', '::1']) {
      const seen: (string | null)[] = []
      const selectCertificate = (name: string | null): { chain: Uint8Array[]; key: typeof leaf.key } => {
        seen.push(name)
        return { chain: [leaf.der], key: leaf.key }
      }
      const pair = new Pair(clientConfig({ serverName }), serverConfig({ selectCertificate })).run()
      expect(pair.complete).toBe(true)
      expect(seen).toEqual([null])
    }
  })

  it('exports the same keying material on both sides (RFC 9846 §7.5)', () => {
    const { client, server } = new Pair(clientConfig(), serverConfig()).run()
    const context = utf8('context')
    const material = client.exportKeyingMaterial('EXPORTER-test', context, 77)
    expect(material).toHaveLength(77)
    expect(server.exportKeyingMaterial('EXPORTER-test', context, 77)).toEqual(material)
    expect(client.exportKeyingMaterial('EXPORTER-other', context, 77)).not.toEqual(material)
    expect(client.exportKeyingMaterial('EXPORTER-test', utf8('other'), 77)).not.toEqual(material)
  })

  it('writes the NSS key log, the same on both sides', () => {
    const lines: string[][] = [[], []]
    new Pair(clientConfig({ keylog: (line) => lines[0]!.push(line) }), serverConfig({ keylog: (line) => lines[1]!.push(line) })).run()
    expect(lines[0]!.map((line) => line.split(' ')[0])).toEqual([
      'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
      'SERVER_HANDSHAKE_TRAFFIC_SECRET',
      'CLIENT_TRAFFIC_SECRET_0',
      'SERVER_TRAFFIC_SECRET_0',
      'EXPORTER_SECRET',
    ])
    for (const line of lines[0]!) expect(line).toMatch(/^[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]{64}$/)
    expect(lines[1]).toEqual(lines[0])
  })
})

describe('misuse by the owner', () => {
  const usage = { name: 'TlsUsageError', code: 'ERR_TLS_USAGE' }

  it('refuses configurations that cannot work', () => {
    expect(() => new TlsEngine(clientConfig({ alpn: [] }))).toThrow(expect.objectContaining(usage))
    expect(() => new TlsEngine(clientConfig({ verify: undefined }))).toThrow(expect.objectContaining(usage))
    expect(() => new TlsEngine(clientConfig({ serverName: undefined }))).toThrow(expect.objectContaining(usage))
    expect(() => new TlsEngine(clientConfig({ groups: [] }))).toThrow(expect.objectContaining(usage))
    expect(() => new TlsEngine(serverConfig({ certificates: [] }))).toThrow(expect.objectContaining(usage))
  })

  it('refuses a server name that is none', () => {
    const engine = new TlsEngine(clientConfig({ serverName: 'bücher.example' }))
    expect(() => engine.start()).toThrow(expect.objectContaining(usage))
  })

  it('refuses provide() without a need and keying material before the end', () => {
    const engine = new TlsEngine(clientConfig())
    engine.start()
    expect(() => engine.provide({ need: 'verify', valid: [true] })).toThrow(expect.objectContaining(usage))
    expect(() => engine.exportKeyingMaterial('x', new Uint8Array(0), 32)).toThrow(expect.objectContaining(usage))
    expect(engine.info()).toBeNull()
  })

  it('takes nothing more after a fault', () => {
    const engine = new TlsEngine(serverConfig())
    let failure: unknown = null
    try {
      engine.receive(0, Uint8Array.of(20, 0, 0, 0))
    } catch (error) {
      failure = error
    }
    expect(codeOf(failure)).toBe('alert 10')
    engine.receive(0, Uint8Array.of(20, 0, 0, 0))
    expect(engine.poll()).toBeNull()
  })
})
