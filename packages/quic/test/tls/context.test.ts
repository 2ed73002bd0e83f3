// What a server answers a ClientHello with: contexts asked of the owner, protocols chosen by it, certificates by signature algorithm,
// and certificates replaced while it runs. RFC 6066 §3, RFC 7301 §3.2, RFC 9846 §4.5.1.2.

import { describe, expect, it } from 'vitest'
import { nodeProvider } from '../../src/crypto/node/index.ts'
import { CertificateSet } from '../../src/tls/certificates/certificate-set.ts'
import { TrustAnchors } from '../../src/tls/certificates/roots.ts'
import type { ServerContext } from '../../src/tls/config.ts'
import type { TlsEvent } from '../../src/tls/events.ts'
import { ServerTickets } from '../../src/tls/resumption/server-tickets.ts'
import { MemorySessionStore } from '../../src/tls/resumption/session-store.ts'
import { issue, NOW } from './certificates/authority.ts'
import { clientConfig, codeOf, failureOf, LEAF, Pair, ROOT, serverConfig } from './handshake.ts'

const groups = [0x001d] as const
const OWN = { chain: [LEAF.der], key: LEAF.key }
const OTHER_LEAF = issue({ name: 'other', issuer: ROOT, names: ['other.example'] })
const OTHER = { chain: [OTHER_LEAF.der], key: OTHER_LEAF.key }
const asking = { asksContext: true, certificates: undefined }

type ContextNeed = Extract<TlsEvent, { need: 'context' }>

function contextNeed(pair: Pair): ContextNeed {
  const need = pair.serverEvents.find((event): event is ContextNeed => event.kind === 'need' && event.need === 'context')
  if (need === undefined) throw new Error('no need for a context')
  return need
}

describe('need context', () => {
  const begin = (client = {}, server = {}): Pair => new Pair(clientConfig({ groups, ...client }), serverConfig({ ...asking, ...server })).run()

  it('tells what the client says of itself, and goes on with the answer', () => {
    const pair = begin({ serverName: 'other.example', alpn: ['h3', 'x'], cipherSuites: [0x1302] })
    expect(pair.serverEvents).toHaveLength(1)
    const { hello } = contextNeed(pair)
    expect(hello).toMatchObject({ serverName: 'other.example', alpn: ['h3', 'x'], cipherSuites: [0x1302] })
    expect(hello.signatureSchemes).toContain(0x0403)
    pair.server.provide({ need: 'context', context: { certificates: [OTHER], alpn: ['x'] } })
    expect(pair.run().complete).toBe(true)
    expect(pair.client.info()).toMatchObject({ alpn: 'x', peerCertificates: [OTHER_LEAF.der] })
  })

  it('refuses the name with unrecognized_name, and protocols of the context with no_application_protocol', () => {
    const refuse = (context: ServerContext | null): string => {
      const pair = begin()
      try {
        pair.server.provide({ need: 'context', context })
        return 'taken'
      } catch (error) {
        return codeOf(error)
      }
    }
    expect(refuse(null)).toBe('alert 112')
    expect(refuse({ certificates: [OWN], alpn: ['hq'] })).toBe('alert 120')
    expect(refuse({ certificates: [] })).toBe('alert 40')
  })

  it('asks once, also when a HelloRetryRequest follows', () => {
    const pair = begin({ groups: [0x0018, 0x001d] }, { groups: [0x001d] })
    pair.server.provide({ need: 'context', context: { certificates: [OWN] } })
    expect(pair.run().complete).toBe(true)
    expect(pair.client.info()!.helloRetry).toBe(true)
    expect(pair.serverEvents.filter(({ kind }) => kind === 'need')).toHaveLength(1)
  })

  it('may ask for a client certificate, which a session from elsewhere does not get around', () => {
    const sessions = new MemorySessionStore()
    const tickets = new ServerTickets(nodeProvider)
    new Pair(clientConfig({ groups, sessions }), serverConfig({ tickets })).run()
    const pair = begin({ sessions }, { tickets })
    const clientAuthentication = { required: true, verify: { mode: 'insecure' } } as const
    pair.server.provide({ need: 'context', context: { certificates: [OWN], clientAuthentication } })
    pair.run()
    expect(`${pair.failedSide}: ${codeOf(pair.failure)}`).toBe('server: alert 116')
  })

  it('resumes where nothing forbids it', () => {
    const sessions = new MemorySessionStore()
    const tickets = new ServerTickets(nodeProvider)
    new Pair(clientConfig({ groups, sessions }), serverConfig({ tickets })).run()
    const pair = begin({ sessions }, { tickets })
    pair.server.provide({ need: 'context', context: { certificates: [OWN] } })
    expect(pair.run().server.info()).toMatchObject({ resumed: true })
  })
})

describe('selectProtocol', () => {
  it('chooses among what the client offers, knowing the name', () => {
    const asked: unknown[] = []
    const selectProtocol = (offered: readonly string[], serverName: string | null): string => {
      asked.push(offered, serverName)
      return 'b'
    }
    const pair = new Pair(clientConfig({ groups, alpn: ['a', 'b'] }), serverConfig({ selectProtocol })).run()
    expect(pair.client.info()!.alpn).toBe('b')
    expect(asked).toEqual([['a', 'b'], 'localhost'])
  })

  it('refuses with no_application_protocol; a protocol nobody offered is its own fault', () => {
    expect(failureOf({ groups }, { selectProtocol: () => null })).toBe('server: alert 120')
    const pair = new Pair(clientConfig({ groups }), serverConfig({ selectProtocol: () => 'z' })).run()
    expect(pair.failure).toMatchObject({ code: 'ERR_TLS_USAGE' })
  })
})

describe('several certificates', () => {
  const RSA = issue({ name: 'rsa', issuer: ROOT, kind: 'rsa2048' })
  const EDWARDS = issue({ name: 'edwards', issuer: ROOT, kind: 'ed25519' })
  const all = [EDWARDS, RSA, LEAF].map(({ der, key }) => ({ chain: [der], key }))

  /** The scheme used towards a client that offers these only; nothing is verified, for its hello is rewritten. */
  function schemeFor(...schemes: number[]): number | string {
    let used: number | string = 'none'
    new Pair(
      clientConfig({ groups, verify: { mode: 'insecure' } }),
      serverConfig({ certificates: all }),
      (from, _level, bytes) => {
        if (from === 'server' && bytes[0] === 15) used = (bytes[4]! << 8) | bytes[5]!
        return [from === 'client' && bytes[0] === 1 ? withSchemes(bytes, schemes) : bytes]
      },
    ).run()
    return used
  }

  it('are chosen by what the client can check, in order of preference', () => {
    // The client cannot read what is sent under other keys: the flight is what counts.
    expect(schemeFor(0x0403, 0x0804)).toBe(0x0804)
    expect(schemeFor(0x0403)).toBe(0x0403)
    expect(schemeFor(0x0805)).toBe(0x0805)
    expect(schemeFor(0x0403, 0x0807)).toBe(0x0807)
    expect(schemeFor(0x0401)).toBe('none')
  })
})

/** The ClientHello with other signature_algorithms. */
function withSchemes(hello: Uint8Array, schemes: readonly number[]): Uint8Array {
  const list = schemes.flatMap((scheme) => [scheme >> 8, scheme & 255])
  const bytes = [...hello]
  const start = 4 + 37 + ((bytes[39]! << 8) | bytes[40]!) + 2
  for (let i = start + 2; i < bytes.length; ) {
    const length = (bytes[i + 2]! << 8) | bytes[i + 3]!
    if (bytes[i] === 0 && bytes[i + 1] === 13) {
      const body = [0, list.length, ...list]
      bytes.splice(i + 2, 2 + length, 0, body.length, ...body)
      const grown = body.length - length
      const block = ((bytes[start]! << 8) | bytes[start + 1]!) + grown
      const total = ((bytes[2]! << 8) | bytes[3]!) + grown
      bytes.splice(start, 2, block >> 8, block & 255)
      bytes.splice(2, 2, total >> 8, total & 255)
      break
    }
    i += 4 + length
  }
  return Uint8Array.from(bytes)
}

describe('a CertificateSet', () => {
  it('gives new handshakes the certificates it holds by then', () => {
    const set = new CertificateSet([OWN])
    const server = serverConfig({ certificates: set })
    const verify = { mode: 'chain', roots: TrustAnchors.from([ROOT.der]), unixTimeMs: NOW } as const
    const shown = (serverName: string): Uint8Array => {
      const pair = new Pair(clientConfig({ groups, serverName, verify }), server).run()
      return pair.client.info()!.peerCertificates[0]!
    }
    expect(shown('localhost')).toEqual(LEAF.der)
    set.replace([OWN, OTHER])
    expect(shown('other.example')).toEqual(OTHER_LEAF.der)
    expect(shown('localhost')).toEqual(LEAF.der)
    expect(() => set.replace([])).toThrow(expect.objectContaining({ code: 'ERR_TLS_USAGE' }))
    expect(() => set.replace([{ chain: [], key: LEAF.key }])).toThrow(expect.objectContaining({ code: 'ERR_TLS_USAGE' }))
    expect(set.certificates).toEqual([OWN, OTHER])
  })
})
