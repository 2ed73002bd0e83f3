// Every handshake message in every state, both roles: taken where the standard names it, unexpected_message elsewhere.
// RFC 9846 §4, Appendix A; RFC 9001 §4.4, §6, §8.3. The expectations are written out here, apart from the states themselves.

import { describe, expect, it } from 'vitest'
import { nodeProvider } from '../../src/crypto/node/index.ts'
import { EncryptionLevel } from '../../src/wire/constants.ts'
import type { EncryptionLevel as Level } from '../../src/wire/constants.ts'
import { TlsEngine, type TlsConfig } from '../../src/tls/engine.ts'
import type { TlsAnswer } from '../../src/tls/events.ts'
import { ServerTickets } from '../../src/tls/resumption/server-tickets.ts'
import { MemorySessionStore } from '../../src/tls/resumption/session-store.ts'
import { NOW } from './certificates/authority.ts'
import { clientConfig, codeOf, LEAF, reframe, serverConfig, TRUST } from './handshake.ts'

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

/** Both sides show a certificate. */
function mutual(): Scene {
  const verify = { mode: 'chain', roots: TRUST, unixTimeMs: NOW } as const
  return {
    client: new TlsEngine(clientConfig({ groups: [0x001d], clientCertificates: [{ chain: [LEAF.der], key: LEAF.key }] })),
    server: new TlsEngine(serverConfig({ groups: [0x001d], clientAuthentication: { required: true, verify } })),
  }
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
  { name: 'waiting for Certificate or CertificateRequest', level: handshake, reads: [11, 13, 25], engine: () => stopBefore(full(), 'client', 11) },
  { name: 'waiting for Certificate after a CertificateRequest', level: handshake, reads: [11, 25], engine: requested },
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
  { name: 'waiting for the Certificate of the client', level: handshake, reads: [11, 25], engine: () => stopBefore(mutual(), 'server', 11) },
  { name: 'waiting for the CertificateVerify of the client', level: handshake, reads: [15], engine: () => stopBefore(mutual(), 'server', 15) },
  { name: 'waiting for Finished after a certificate', level: handshake, reads: [20], engine: () => stopBefore(mutual(), 'server', 20) },
  { name: 'resuming, waiting for Finished', level: handshake, reads: [20], engine: () => stopBefore(resumed(), 'server', 20) },
  { name: 'complete', level: application, reads: [], engine: () => stopBefore(full(), 'server', -1) },
  { name: 'complete with a client certificate', level: application, reads: [], engine: () => stopBefore(mutual(), 'server', -1) },
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

function resting(side: 'client' | 'server', client: Partial<TlsConfig>, server: Partial<TlsConfig>): TlsEngine {
  const scene = { client: new TlsEngine(clientConfig({ groups: [0x001d], ...client })), server: new TlsEngine(serverConfig(server)) }
  return stopBefore(scene, side, -1)
}

const clientKey = { kind: LEAF.key.kind, schemes: LEAF.key.schemes, pkcs8: null, sign: () => null }
const authentication = { verify: { mode: 'insecure' } } as const
const shown = [{ chain: [LEAF.der], key: LEAF.key }]

/** What is asked, at which level, the answer that goes on, and the one message that is in order after it, if any is. */
const RESTS: readonly (readonly [name: string, level: Level, engine: () => TlsEngine, answer: TlsAnswer, next: number])[] = [
  ['a server with a key elsewhere', handshake, signing, { need: 'sign', signature: new Uint8Array(70) }, 20],
  [
    'a server that asks for its context',
    handshake,
    () => resting('server', {}, { asksContext: true }),
    { need: 'context', context: { certificates: shown } },
    20,
  ],
  [
    'a client that asks about the server',
    handshake,
    () => resting('client', { asksPeer: true }, {}),
    { need: 'peer', refusal: null },
    -1,
  ],
  [
    'a client with a key elsewhere',
    application,
    () => resting('client', { clientCertificates: [{ chain: [LEAF.der], key: clientKey }] }, { clientAuthentication: authentication }),
    { need: 'sign', signature: new Uint8Array(70) },
    4,
  ],
]

describe('an engine that rests', () => {
  it.each(RESTS)('%s leaves messages unread until it is answered, whatever they are', (_name, level, engine, given, next) => {
    for (const [type, name] of MESSAGES) {
      const resting = engine()
      expect(answer(resting, level, type)).toBe('taken')
      let failure: unknown = null
      try {
        resting.provide(given)
      } catch (error) {
        failure = error
      }
      const post = level === application && type === 13 ? 'error 10' : 'alert 10'
      // A client has the real Finished before these: it reads that one, and is left with handshake bytes too many.
      const expected = next === -1 ? 'error 10' : type === next ? 'alert 50' : post
      expect(`${name}: ${codeOf(failure)}`).toBe(`${name}: ${expected}`)
    }
  })

  it.each(RESTS)('%s refuses any other answer, and goes on waiting', (_name, _level, engine, given) => {
    const resting = engine()
    const others: TlsAnswer[] = [
      { need: 'sign', signature: null },
      { need: 'verify', valid: [true] },
      { need: 'context', context: null },
      { need: 'peer', refusal: 'no' },
    ]
    for (const other of others.filter(({ need }) => need !== given.need)) {
      expect(() => resting.provide(other)).toThrow(expect.objectContaining({ code: 'ERR_TLS_USAGE' }))
    }
    resting.provide(given)
  })
})
