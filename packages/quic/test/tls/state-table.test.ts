// Every handshake message in every state, both roles: taken where the standard names it, unexpected_message elsewhere.
// RFC 9846 §4, Appendix A; RFC 9001 §4.4, §6, §8.3. The expectations are written out here, apart from the states themselves.

import { describe, expect, it } from 'vitest'
import { nodeProvider } from '../../src/crypto/node/index.ts'
import { EncryptionLevel } from '../../src/wire/constants.ts'
import type { EncryptionLevel as Level } from '../../src/wire/constants.ts'
import { TlsEngine } from '../../src/tls/engine.ts'
import { ServerTickets } from '../../src/tls/resumption/server-tickets.ts'
import { MemorySessionStore } from '../../src/tls/resumption/session-store.ts'
import { clientConfig, codeOf, LEAF, reframe, serverConfig } from './handshake.ts'

const MESSAGES: readonly (readonly [type: number, name: string])[] = [
  [0, 'HelloRequest'],
  [1, 'ClientHello'],
  [2, 'ServerHello'],
  [3, 'HelloVerifyRequest'],
  [4, 'NewSessionTicket'],
  [5, 'EndOfEarlyData'],
  [6, 'HelloRetryRequest of the drafts'],
  [8, 'EncryptedExtensions'],
  [11, 'Certificate'],
  [12, 'ServerKeyExchange'],
  [13, 'CertificateRequest'],
  [14, 'ServerHelloDone'],
  [15, 'CertificateVerify'],
  [16, 'ClientKeyExchange'],
  [20, 'Finished'],
  [21, 'CertificateURL'],
  [22, 'CertificateStatus'],
  [23, 'SupplementalData'],
  [24, 'KeyUpdate'],
  [25, 'CompressedCertificate'],
  [254, 'message_hash'],
  [255, 'an unassigned message'],
]

const { initial, handshake, application } = EncryptionLevel

interface State {
  readonly name: string
  readonly level: Level
  /** Types this state reads. Given an empty body they fail in form, with decode_error; never with unexpected_message. */
  readonly reads: readonly number[]
  readonly engine: () => TlsEngine
}

interface Scene {
  readonly client: TlsEngine
  readonly server: TlsEngine
}

/** Carries messages until the one of `type` is about to arrive at `side`. Events of both are otherwise thrown away. */
function stopBefore(scene: Scene, side: 'client' | 'server', type: number, count: number = 1): TlsEngine {
  const { client, server } = scene
  client.start()
  for (let quiet = 0, seen = 0; quiet < 2; ) {
    quiet++
    for (const [from, to, name] of [[client, server, 'server'], [server, client, 'client']] as const) {
      for (let event = from.poll(); event !== null; event = from.poll()) {
        if (event.kind !== 'crypto') continue
        quiet = 0
        if (name === side && event.bytes[0] === type && ++seen === count) return side === 'client' ? client : server
        to.receive(event.level, event.bytes)
      }
    }
  }
  return side === 'client' ? client : server
}

const full = (groups: readonly (0x001d | 0x0018)[] = [0x001d]): Scene => ({
  client: new TlsEngine(clientConfig({ groups })),
  server: new TlsEngine(serverConfig({ groups: [0x001d] })),
})

const keys = [new Uint8Array(32).fill(1)]

function resumed(): Scene {
  const sessions = new MemorySessionStore()
  const scene = (): Scene => ({
    client: new TlsEngine(clientConfig({ sessions, groups: [0x001d] })),
    server: new TlsEngine(serverConfig({ tickets: new ServerTickets(nodeProvider, { keys }) })),
  })
  stopBefore(scene(), 'client', -1)
  return scene()
}

/** A client that was asked for a certificate: the request is slipped in, which only the signature will show. */
function requested(): TlsEngine {
  const client = stopBefore(full(), 'client', 11)
  client.receive(handshake, reframe(13, Uint8Array.of(0, 0, 8, 0, 13, 0, 4, 0, 2, 4, 3)))
  return client
}

function signing(): TlsEngine {
  const key = { ...LEAF.key, sign: () => null, schemes: LEAF.key.schemes, kind: LEAF.key.kind, pkcs8: null }
  const scene = { client: full().client, server: new TlsEngine(serverConfig({ certificates: [{ chain: [LEAF.der], key }] })) }
  return stopBefore(scene, 'server', -1)
}

const RETRIED = [0x0018, 0x001d] as const

const CLIENT: readonly State[] = [
  { name: 'waiting for ServerHello', level: initial, reads: [2], engine: () => stopBefore(full(), 'client', 2) },
  { name: 'waiting for ServerHello after a HelloRetryRequest', level: initial, reads: [2], engine: () => stopBefore(full(RETRIED), 'client', 2, 2) },
  { name: 'waiting for EncryptedExtensions', level: handshake, reads: [8], engine: () => stopBefore(full(), 'client', 8) },
  { name: 'waiting for Certificate or CertificateRequest', level: handshake, reads: [11, 13], engine: () => stopBefore(full(), 'client', 11) },
  { name: 'waiting for Certificate after a CertificateRequest', level: handshake, reads: [11], engine: requested },
  { name: 'waiting for CertificateVerify', level: handshake, reads: [15], engine: () => stopBefore(full(), 'client', 15) },
  { name: 'waiting for Finished', level: handshake, reads: [20], engine: () => stopBefore(full(), 'client', 20) },
  { name: 'resuming, waiting for EncryptedExtensions', level: handshake, reads: [8], engine: () => stopBefore(resumed(), 'client', 8) },
  { name: 'resuming, waiting for Finished', level: handshake, reads: [20], engine: () => stopBefore(resumed(), 'client', 20) },
  { name: 'complete', level: application, reads: [4], engine: () => stopBefore(full(), 'client', -1) },
  { name: 'complete, resumed', level: application, reads: [4], engine: () => stopBefore(resumed(), 'client', -1) },
]

const SERVER: readonly State[] = [
  { name: 'waiting for ClientHello', level: initial, reads: [1], engine: () => stopBefore(full(), 'server', 1) },
  { name: 'waiting for the second ClientHello', level: initial, reads: [1], engine: () => stopBefore(full(RETRIED), 'server', 1, 2) },
  { name: 'waiting for Finished', level: handshake, reads: [20], engine: () => stopBefore(full(), 'server', 20) },
  { name: 'resuming, waiting for Finished', level: handshake, reads: [20], engine: () => stopBefore(resumed(), 'server', 20) },
  { name: 'complete', level: application, reads: [], engine: () => stopBefore(full(), 'server', -1) },
]

/** What an empty message of this type does to an engine in this state. */
function answer(engine: TlsEngine, level: Level, type: number): string {
  try {
    engine.receive(level, reframe(type, new Uint8Array(0)))
    return 'taken'
  } catch (error) {
    return codeOf(error)
  }
}

for (const [role, states] of [['client', CLIENT], ['server', SERVER]] as const) {
  describe(`a ${role}`, () => {
    it.each(states)('$name', ({ level, reads, engine }) => {
      for (const [type, name] of MESSAGES) {
        let expected = 'alert 10'
        if (reads.includes(type)) expected = 'alert 50'
        // RFC 9001 §4.4: post-handshake authentication has a code of QUIC's own.
        else if (role === 'client' && level === application && type === 13) expected = 'error 10'
        expect(`${name}: ${answer(engine(), level, type)}`).toBe(`${name}: ${expected}`)
      }
    })

    it.each(states)('$name: nothing of an earlier level, nothing in 0-RTT packets (RFC 9001 §4.1.3, §8.3)', ({ level, engine }) => {
      for (const earlier of [initial, handshake].filter((other) => other < level)) {
        for (const [type, name] of MESSAGES) expect(`${name}: ${answer(engine(), earlier, type)}`).toBe(`${name}: error 10`)
      }
      for (const [type, name] of MESSAGES) expect(`${name}: ${answer(engine(), EncryptionLevel.earlyData, type)}`).toBe(`${name}: error 10`)
    })

    it.each(states)('$name: takes nothing more after a fault', ({ level, engine }) => {
      const broken = engine()
      for (let event = broken.poll(); event !== null; event = broken.poll());
      expect(answer(broken, level, 99)).toBe('alert 10')
      for (const [type] of MESSAGES) expect(answer(broken, level, type)).toBe('taken')
      expect(broken.poll()).toBeNull()
    })
  })
}

describe('an engine that rests', () => {
  it('leaves messages unread until it is answered, whatever they are', () => {
    for (const [type] of MESSAGES) {
      const server = signing()
      expect(answer(server, handshake, type)).toBe('taken')
      const signature = new Uint8Array(70)
      let failure: unknown = null
      try {
        server.provide({ need: 'sign', signature })
      } catch (error) {
        failure = error
      }
      expect(codeOf(failure)).toBe(type === 20 ? 'alert 50' : 'alert 10')
    }
  })
})
