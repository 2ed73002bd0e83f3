// Two engines and what passes between them, message by message, with a hand in between for those who want to spoil it.

import { nodeProvider, nodeRandom } from '../../src/crypto/node/index.ts'
import { TransportError } from '../../src/wire/transport-error.ts'
import type { EncryptionLevel } from '../../src/wire/constants.ts'
import { TlsEngine, type TlsConfig } from '../../src/tls/engine.ts'
import type { TlsEvent } from '../../src/tls/events.ts'
import { TrustAnchors } from '../../src/tls/certificates/roots.ts'
import { issue, NOW, type Issued } from './certificates/authority.ts'

export const CLIENT_PARAMETERS: Uint8Array = Uint8Array.of(0x04, 0x01, 0x0a)
export const SERVER_PARAMETERS: Uint8Array = Uint8Array.of(0x04, 0x01, 0x0b)

export const ROOT: Issued = issue({ name: 'root', ca: true, kind: 'p256' })
export const TRUST: TrustAnchors = TrustAnchors.from([ROOT.der])
export const LEAF: Issued = issue({ issuer: ROOT })

export function clientConfig(changes: Partial<TlsConfig> = {}): TlsConfig {
  return {
    role: 'client',
    provider: nodeProvider,
    random: nodeRandom,
    alpn: ['h3'],
    serverName: 'localhost',
    verify: { mode: 'chain', roots: TRUST, unixTimeMs: NOW },
    transportParameters: CLIENT_PARAMETERS,
    // Spoilt hellos add reserved values of their own.
    grease: false,
    ...changes,
  }
}

export function serverConfig(changes: Partial<TlsConfig> = {}): TlsConfig {
  return {
    role: 'server',
    provider: nodeProvider,
    random: nodeRandom,
    alpn: ['h3'],
    certificates: [{ chain: [LEAF.der], key: LEAF.key }],
    transportParameters: SERVER_PARAMETERS,
    ...changes,
  }
}

export type Side = 'client' | 'server'

/** What is done to the bytes of one crypto event on its way: the pieces that arrive instead. */
export type Hand = (from: Side, level: EncryptionLevel, bytes: Uint8Array) => readonly Uint8Array[]

export class Pair {
  readonly client: TlsEngine
  readonly server: TlsEngine
  readonly clientEvents: TlsEvent[]
  readonly serverEvents: TlsEvent[]
  /** What receive() threw, and on which side. */
  failure: unknown
  failedSide: Side | null
  readonly #hand: Hand

  constructor(client: TlsConfig, server: TlsConfig, hand: Hand = (_from, _level, bytes) => [bytes]) {
    this.client = new TlsEngine(client)
    this.server = new TlsEngine(server)
    this.clientEvents = []
    this.serverEvents = []
    this.failure = null
    this.failedSide = null
    this.#hand = hand
    this.client.start()
  }

  /** Carries events until both sides are silent or one has failed. */
  run(): this {
    for (let silent = false; !silent && this.failure === null; ) {
      const fromClient = this.#carry('client')
      const fromServer = this.#carry('server')
      silent = !fromClient && !fromServer
    }
    return this
  }

  #carry(from: Side): boolean {
    const [sender, receiver] = from === 'client' ? [this.client, this.server] : [this.server, this.client]
    const events = from === 'client' ? this.clientEvents : this.serverEvents
    let any = false
    for (let event = sender.poll(); event !== null; event = sender.poll()) {
      any = true
      events.push(event)
      if (event.kind !== 'crypto' || this.failure !== null) continue
      const to = from === 'client' ? 'server' : 'client'
      try {
        for (const piece of this.#hand(from, event.level, event.bytes)) receiver.receive(event.level, piece)
      } catch (error) {
        this.failure = error
        this.failedSide = to
      }
    }
    return any
  }

  get complete(): boolean {
    return this.client.complete && this.server.complete
  }
}

/** The code of a failure, with the alert taken out of a crypto error: 'alert 40', or 'error 10'. */
export function codeOf(failure: unknown): string {
  if (!(failure instanceof TransportError)) return `not a TransportError: ${String(failure)}`
  return failure.wireCode >= 0x100 && failure.wireCode < 0x200 ? `alert ${failure.wireCode - 0x100}` : `error ${failure.wireCode}`
}

/** Runs a handshake that has to fail, and tells where and how. */
export function failureOf(client: Partial<TlsConfig>, server: Partial<TlsConfig> = {}, hand?: Hand): string {
  const pair = new Pair(clientConfig(client), serverConfig(server), hand).run()
  return pair.failedSide === null ? 'no failure' : `${pair.failedSide}: ${codeOf(pair.failure)}`
}

/** Rewrites the body of messages of one type; the header follows. */
export function rewrite(from: Side, type: number, change: (body: Uint8Array) => Uint8Array): Hand {
  return (side, _level, bytes) => [side === from && bytes[0] === type ? reframe(type, change(bytes.slice(4))) : bytes]
}

export function reframe(type: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + body.length)
  bytes.set([type, body.length >>> 16, (body.length >>> 8) & 0xff, body.length & 0xff])
  bytes.set(body, 4)
  return bytes
}
