// A peer whose TLS is ours and whose transport parameters and messages are what the test says: what a handshake must not contain reaches
// a whole connection, under the right keys.

import { TlsEngine } from '../../src/tls/engine.ts'
import type { TlsConfig } from '../../src/tls/engine.ts'
import { EncryptionLevel, PacketType } from '../../src/wire/constants.ts'
import { NamedGroup } from '../../src/crypto/provider.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { Attacker } from '../connection/attacker.ts'
import type { Side } from '../connection/attacker.ts'
import * as frames from '../connection/frames.ts'
import { certificate } from '../connection/pair.ts'
import type { PairOptions } from '../connection/pair.ts'
import { providerUnderTest as provider } from '../crypto/provider-under-test.ts'
import { reframe } from '../tls/handshake.ts'

/** Identifier and value of one transport parameter. */
export type Parameter = readonly [id: number, value: Uint8Array]

export interface RogueOptions extends PairOptions {
  /** Given what is right, says what is sent. */
  readonly parameters?: (right: readonly Parameter[]) => readonly Parameter[]
  /** Bytes behind the parameters. */
  readonly parameterTail?: Uint8Array
  /** Rewrites bodies of handshake messages, by type. */
  readonly rewrite?: Readonly<Record<number, (body: Uint8Array) => Uint8Array>>
  /** Says the handshake bytes of a level otherwise. */
  readonly spoil?: (level: EncryptionLevel, flight: Uint8Array) => Uint8Array
}

export const ROGUE_SOURCE: Uint8Array = new Uint8Array(8).fill(0xee)
const SUITE = 0x1301

export const CLIENT_HELLO = 1
export const ENCRYPTED_EXTENSIONS = 8

export function encodeParameters(list: readonly Parameter[]): Uint8Array<ArrayBuffer> {
  return frames.bytes(...list.flatMap(([id, value]) => [id, value.length, value]))
}

/** Handshake bytes by level that an engine has to say. */
function said(engine: TlsEngine, options: RogueOptions): Map<EncryptionLevel, Uint8Array> {
  const flights = new Map<EncryptionLevel, Uint8Array>()
  for (let event = engine.poll(); event !== null; event = engine.poll()) {
    if (event.kind !== 'crypto') continue
    const change = options.rewrite?.[event.bytes[0]!]
    const bytes = change === undefined ? event.bytes : reframe(event.bytes[0]!, change(event.bytes.slice(4)))
    flights.set(event.level, frames.bytes(flights.get(event.level) ?? new Uint8Array(0), bytes))
  }
  const { spoil } = options
  if (spoil !== undefined) for (const [level, flight] of flights) flights.set(level, spoil(level, flight))
  return flights
}

function common(plays: Side, right: readonly Parameter[], options: RogueOptions): TlsConfig {
  return {
    role: plays,
    provider,
    random: new SeededRandom(77),
    alpn: ['test'],
    cipherSuites: [SUITE],
    groups: [NamedGroup.x25519],
    transportParameters: frames.bytes(encodeParameters((options.parameters ?? ((same) => same))(right)), options.parameterTail ?? new Uint8Array(0)),
  }
}

/** The ClientHello of a client with these parameters, in CRYPTO bytes. */
export function rogueHello(options: RogueOptions): Uint8Array {
  const engine = new TlsEngine({
    ...common('client', [[0x0f, ROGUE_SOURCE]], options),
    serverName: 'test.example',
    verify: { mode: 'insecure' },
    grease: false,
  })
  engine.start()
  return said(engine, options).get(EncryptionLevel.initial)!
}

/** A server faces a client that no packet has left yet. */
export function silentClient(options: PairOptions = {}): Attacker {
  return new Attacker('client', options).usurp()
}

/** Sends a ClientHello in Initial packets of 1200 bytes to a server that knows nothing yet. */
export function sayHello(attacker: Attacker, hello: Uint8Array): void {
  const destination = attacker.pair.client.connection.originalDestinationConnectionId
  const packet = attacker.seal(PacketType.initial, frames.crypto(0, hello), { destination, source: ROGUE_SOURCE, size: 1200 })
  attacker.deliver(packet)
}

/** A server has heard the ClientHello of a rogue client. */
export function rogueClient(options: RogueOptions = {}): Attacker {
  const attacker = silentClient(options)
  sayHello(attacker, rogueHello(options))
  return attacker
}

/** What a rogue server has to say to a client that has sent its ClientHello and heard nothing. */
export class RogueServer {
  readonly attacker: Attacker
  /** Handshake bytes by level. */
  readonly flights: ReadonlyMap<EncryptionLevel, Uint8Array>

  constructor(options: RogueOptions = {}) {
    const attacker = new Attacker('server', options)
    attacker.pair.network.remove('server')
    attacker.pair.network.runFor(15)
    this.attacker = attacker
    const hello = attacker.opened[0]!.payload
    const odcid = attacker.pair.client.connection.originalDestinationConnectionId
    const right: Parameter[] = [
      [0x00, odcid],
      [0x0f, ROGUE_SOURCE],
    ]
    const key = provider.importPrivateKey(certificate.privateKey)
    const engine = new TlsEngine({ ...common('server', right, options), certificates: [{ chain: [certificate.certificate], key }] })
    engine.receive(EncryptionLevel.initial, cryptoBytes(hello))
    this.flights = said(engine, options)
  }

  /** The messages of both levels, a packet each. */
  sayAll(): Attacker {
    this.say(EncryptionLevel.initial)
    this.say(EncryptionLevel.handshake)
    return this.attacker
  }

  say(level: EncryptionLevel, flight: Uint8Array = this.flights.get(level)!): void {
    const type = level === EncryptionLevel.initial ? PacketType.initial : PacketType.handshake
    this.attacker.send(type, frames.crypto(0, flight), { source: ROGUE_SOURCE, size: 1200 })
  }
}

/** A client has heard the whole first flight of a rogue server. */
export function rogueServer(options: RogueOptions = {}): Attacker {
  return new RogueServer(options).sayAll()
}

/** The data of the CRYPTO frame of offset 0 that a payload begins with. */
export function cryptoBytes(payload: Uint8Array): Uint8Array {
  let at = 0
  while (payload[at] === 0) at += 1
  if (payload[at] !== 0x06 || payload[at + 1] !== 0) throw new Error('the first packet does not begin with the ClientHello')
  const first = payload[at + 2]!
  if (first >> 6 > 1) throw new Error('the ClientHello is longer than one packet')
  const long = first >> 6 === 1
  const length = long ? ((first & 0x3f) << 8) | payload[at + 3]! : first
  const start = at + (long ? 4 : 3)
  return payload.slice(start, start + length)
}
