// A connection as an observer with the key log follows it: its keys, its packet numbers, its handshake.

import { fromHex } from '../../packages/quic/src/base/bytes.ts'
import { INITIAL_CIPHER_SUITE, initialSecrets } from '../../packages/quic/src/crypto/initial-keys.ts'
import { nodeProvider } from '../../packages/quic/src/crypto/node/index.ts'
import { HandshakeType } from '../../packages/quic/src/tls/codec/message.ts'
import { PacketType } from '../../packages/quic/src/wire/constants.ts'
import type { HeaderView } from '../../packages/quic/src/wire/header.ts'
import { SUPPORTED_VERSIONS } from '../../packages/quic/src/wire/version.ts'
import { CryptoReader, clientRandomOf, describeMessage, preferredConnectionId } from './crypto-reader.ts'
import type { CapturedMessage, Sender } from './datagram.ts'
import type { KeyLog, SecretLabel } from './key-log.ts'
import { ReadKeys, suitesOf, type OpenedPacket } from './read-keys.ts'

type Level = 'initial' | 'early' | 'handshake' | 'application'

function levelOf(packetType: PacketType): Level {
  if (packetType === PacketType.initial) return 'initial'
  if (packetType === PacketType.zeroRtt) return 'early'
  return packetType === PacketType.handshake ? 'handshake' : 'application'
}

const SECRETS: Readonly<Record<Exclude<Level, 'initial'>, Readonly<Record<Sender, SecretLabel | null>>>> = {
  early: { client: 'CLIENT_EARLY_TRAFFIC_SECRET', server: null },
  handshake: { client: 'CLIENT_HANDSHAKE_TRAFFIC_SECRET', server: 'SERVER_HANDSHAKE_TRAFFIC_SECRET' },
  application: { client: 'CLIENT_TRAFFIC_SECRET_0', server: 'SERVER_TRAFFIC_SECRET_0' },
}

/** What CRYPTO data told. */
export interface HandshakeNews {
  readonly messages: readonly CapturedMessage[]
  readonly repeats: boolean
  /** The keys of further levels can be had from now on. */
  readonly named: boolean
  /** The server can be reached by this connection ID too. */
  readonly preferredConnectionId: Uint8Array | null
}

export class TrackedConnection {
  private readonly keyLog: KeyLog
  /** Destination connection IDs that Initial keys were made from, the newest first: a Retry brings another one (RFC 9001 §5.2). */
  private readonly origins: string[]
  private readonly keys: Map<string, ReadKeys[]>
  /** By sender and packet number space. */
  private readonly largest: Map<string, number>
  private readonly crypto: Map<string, CryptoReader>
  private clientRandom: string

  constructor(keyLog: KeyLog, firstDestination: string) {
    this.keyLog = keyLog
    this.origins = [firstDestination]
    this.keys = new Map()
    this.largest = new Map()
    this.crypto = new Map()
    this.clientRandom = ''
  }

  onRetry(source: string): void {
    if (!this.origins.includes(source)) this.origins.unshift(source)
  }

  /** Opens the packet in place, or leaves it alone and answers null. */
  open(sender: Sender, header: HeaderView): OpenedPacket | null {
    const level = levelOf(header.packetType)
    const candidates = this.keysOf(sender, level, header.version)
    // RFC 9000 §12.3: 0-RTT and 1-RTT share a packet number space.
    const space = `${sender} ${level === 'early' ? 'application' : level}`
    const largest = this.largest.get(space) ?? -1
    for (const keys of candidates) {
      const opened = keys.open(header, largest)
      if (opened === null) continue
      // What opened one packet opens all; Initial packets may yet follow a Retry.
      if (level !== 'initial' && candidates.length > 1) candidates.splice(0, candidates.length, keys)
      this.largest.set(space, Math.max(largest, opened.packetNumber))
      return opened
    }
    return null
  }

  /** CRYPTO data of a packet of that type. */
  onCrypto(sender: Sender, packetType: PacketType, offset: number, data: Uint8Array): HandshakeNews {
    const key = `${sender} ${levelOf(packetType)}`
    let reader = this.crypto.get(key)
    if (reader === undefined) this.crypto.set(key, (reader = new CryptoReader()))
    const repeats = reader.insert(offset, data)
    const messages: CapturedMessage[] = []
    let named = false
    let preferred: Uint8Array | null = null
    for (let message = reader.next(); message !== null; message = reader.next()) {
      messages.push(describeMessage(message))
      if (message.type === HandshakeType.clientHello && this.clientRandom === '') {
        this.clientRandom = clientRandomOf(message)
        named = true
      } else if (message.type === HandshakeType.encryptedExtensions) {
        preferred = preferredConnectionId(message)
      }
    }
    return { messages, repeats, named, preferredConnectionId: preferred }
  }

  private keysOf(sender: Sender, level: Level, version: number): ReadKeys[] {
    const name = level === 'initial' ? `${sender} ${version} ${this.origins.length}` : `${sender} ${level} ${version}`
    let keys = this.keys.get(name)
    if (keys !== undefined) return keys
    if (level === 'initial') keys = this.origins.map((origin) => initialReadKeys(sender, version, origin))
    else keys = this.loggedKeys(sender, level, version)
    // Without the ClientHello nobody knows which secrets they are.
    if (keys.length > 0) this.keys.set(name, keys)
    return keys
  }

  private loggedKeys(sender: Sender, level: Exclude<Level, 'initial'>, version: number): ReadKeys[] {
    const label = SECRETS[level][sender]
    const secret = label === null ? null : this.keyLog.secret(label, this.clientRandom)
    if (secret === null) return []
    // A short header does not name the version.
    const versions = version === 0 ? SUPPORTED_VERSIONS : [version]
    return versions.flatMap((candidate) => suitesOf(secret).map((suite) => new ReadKeys(suite, secret, candidate)))
  }
}

function initialReadKeys(sender: Sender, version: number, origin: string): ReadKeys {
  const secrets = initialSecrets(nodeProvider, version, fromHex(origin))
  return new ReadKeys(INITIAL_CIPHER_SUITE, secrets[sender], version)
}
