// A peer that breaks the rules with the right keys: it plays one side of a pair, seals any bytes as an authentic packet of any
// type, and opens what its victim sends. Secrets come from the key log of the two connections.

import { EMPTY, fromHex, toHex } from '../../src/base/bytes.ts'
import type { Connection } from '../../src/connection/connection.ts'
import { describeFrames } from '../../src/connection/frame-records.ts'
import { initialSecrets } from '../../src/crypto/initial-keys.ts'
import { MASK_LENGTH, packetNumberLengthOf, protectHeader, unprotectHeader } from '../../src/crypto/header-protection.ts'
import { updatedSecret } from '../../src/crypto/key-chain.ts'
import { packetAead, packetHeaderKey } from '../../src/crypto/packet-keys.ts'
import type { AeadKey, HeaderKey } from '../../src/crypto/provider.ts'
import type { FrameRecord } from '../../src/trace/sink.ts'
import { PacketType } from '../../src/wire/constants.ts'
import { HeaderResult, HeaderView, parseHeader } from '../../src/wire/header.ts'
import { patchLength, writeLongHeader, writeShortHeader } from '../../src/wire/header-writer.ts'
import { Writer } from '../../src/wire/writer.ts'
import { providerUnderTest as provider } from '../crypto/provider-under-test.ts'
import { CLIENT, Pair, SERVER } from './pair.ts'
import type { PairOptions } from './pair.ts'

export type Side = 'client' | 'server'

const SUITE = 0x1301
const TAG = 16
const NUMBER_LENGTH = 4
/** Far above what the real peer has used. */
const FIRST_NUMBER = 1000

export interface PacketOptions {
  readonly packetNumber?: number
  readonly destination?: Uint8Array
  readonly source?: Uint8Array
  readonly token?: Uint8Array
  /** PADDING in front of the frames, so that the whole datagram has this size. */
  readonly size?: number
  /** Key updates since the handshake; the Key Phase bit follows it unless `phase` says otherwise. */
  readonly generation?: number
  readonly phase?: 0 | 1
  /** Or-ed into the first byte before protection. */
  readonly firstByteBits?: number
}

/** A packet of the victim, opened. */
export interface OpenedPacket {
  readonly time: number
  readonly packetType: number
  readonly packetNumber: number
  readonly size: number
  readonly from: string
  readonly to: string
  readonly destination: Uint8Array
  /** Key updates before it. */
  readonly generation: number
  readonly frames: readonly FrameRecord[]
  /** The frames as bytes. */
  readonly payload: Uint8Array
}

export class Attacker {
  readonly pair: Pair
  readonly plays: Side
  /** Everything the victim sent, in order. */
  readonly opened: OpenedPacket[]
  private readonly secrets: Map<string, Uint8Array>
  private readonly aeads: Map<string, AeadKey>
  private readonly headerKeys: Map<string, HeaderKey>
  private nextNumber: number

  constructor(plays: Side, options: PairOptions = {}) {
    this.plays = plays
    this.secrets = new Map()
    this.aeads = new Map()
    this.headerKeys = new Map()
    this.opened = []
    this.nextNumber = FIRST_NUMBER
    const keylog = (line: string): void => {
      const [label, , secret] = line.split(' ')
      // The first connection's; others of the same endpoints log theirs, too.
      if (!this.secrets.has(label!)) this.secrets.set(label!, fromHex(secret!))
    }
    this.pair = new Pair({
      ...options,
      // An attacker acknowledges what it likes; only tests of that are to be told off for it (RFC 9000 §21.4).
      client: { skipPacketNumbers: false, ...options.client },
      server: { skipPacketNumbers: false, ...options.server },
      clientTls: { cipherSuites: [SUITE], keylog, ...options.clientTls },
      serverTls: { cipherSuites: [SUITE], keylog, ...options.serverTls },
    })
    const further = plays === 'client' ? options.serverAddresses : options.clientAddresses
    const victims = [this.victimAddress, ...(further ?? [])]
    this.pair.network.observe((datagram) => {
      if (victims.includes(datagram.from)) this.open(datagram.bytes.slice(), datagram.time, datagram.from, datagram.to)
    })
  }

  get victim(): Connection {
    return this.plays === 'client' ? this.pair.server.connection : this.pair.client.connection
  }

  get victimAddress(): string {
    return this.plays === 'client' ? SERVER : CLIENT
  }

  get ownAddress(): string {
    return this.plays === 'client' ? CLIENT : SERVER
  }

  /** Takes the place of the peer it plays: that one sends and hears nothing any more. */
  usurp(): this {
    this.pair.network.remove(this.plays)
    return this
  }

  /** The usual start: an established connection whose one end is the attacker. */
  establish(): this {
    this.pair.establish().settle()
    this.opened.length = 0
    return this.usurp()
  }

  /** Sends one authentic packet and lets `wait` ms pass. */
  send(packetType: PacketType, frames: Uint8Array, options: PacketOptions = {}, wait: number = 30): void {
    this.deliver(this.seal(packetType, frames, options), this.ownAddress, wait)
  }

  /** A 1-RTT packet. */
  say(frames: Uint8Array, options: PacketOptions = {}, wait: number = 30): void {
    this.send(PacketType.oneRtt, frames, options, wait)
  }

  deliver(datagram: Uint8Array, from: string = this.ownAddress, wait: number = 30): void {
    this.pair.network.inject(datagram, from, this.victimAddress)
    this.pair.network.runFor(wait)
  }

  seal(packetType: PacketType, frames: Uint8Array, options: PacketOptions = {}): Uint8Array {
    const generation = options.generation ?? 0
    const packetNumber = options.packetNumber ?? this.nextNumber
    this.nextNumber = Math.max(this.nextNumber, packetNumber + 1)
    const destination = options.destination ?? this.victim.sourceConnectionIds()[0]!
    const writer = new Writer(new Uint8Array(65_535))
    let lengthAt = -1
    if (packetType === PacketType.oneRtt) {
      writeShortHeader(writer, destination, packetNumber, NUMBER_LENGTH, options.phase ?? ((generation & 1) as 0 | 1), 0)
    } else {
      const source = options.source ?? this.peer().sourceConnectionIds()[0] ?? EMPTY
      lengthAt = writeLongHeader(writer, packetType, 1, destination, source, options.token ?? EMPTY, packetNumber, NUMBER_LENGTH)
    }
    writer.buffer[0]! |= options.firstByteBits ?? 0
    const payloadStart = writer.position
    const wanted = Math.max((options.size ?? 0) - payloadStart - TAG, NUMBER_LENGTH)
    if (frames.length < wanted && frames.length > 0) writer.zeros(wanted - frames.length)
    writer.bytes(frames)
    if (lengthAt >= 0) patchLength(writer.buffer, lengthAt, writer.position + TAG - (payloadStart - NUMBER_LENGTH))
    const secret = this.secret(packetType, this.plays)
    this.aead(secret, generation).seal(writer.buffer, 0, payloadStart, writer.position, packetNumber)
    protectHeader(this.headerKey(secret), new Uint8Array(MASK_LENGTH), writer.buffer, 0, payloadStart - NUMBER_LENGTH, NUMBER_LENGTH)
    return writer.buffer.slice(0, writer.position + TAG)
  }

  /** Frames of one type that the victim has sent. */
  framesOf(type: number): FrameRecord[] {
    return this.opened.flatMap((packet) => packet.frames.filter((frame) => frame.type === type))
  }

  private peer(): Connection {
    return this.plays === 'client' ? this.pair.client.connection : this.pair.server.connection
  }

  private secret(packetType: PacketType, sender: Side): Uint8Array {
    if (packetType === PacketType.initial) {
      const odcid = this.pair.client.connection.originalDestinationConnectionId
      return initialSecrets(provider, 1, odcid)[sender]
    }
    const side = sender.toUpperCase()
    const handshake = packetType === PacketType.handshake
    const secret = this.secrets.get(handshake ? `${side}_HANDSHAKE_TRAFFIC_SECRET` : `${side}_TRAFFIC_SECRET_0`)
    if (secret === undefined) throw new Error(`no secret of the ${sender} for packet type ${packetType} yet`)
    return secret
  }

  private open(datagram: Uint8Array, time: number, from: string, to: string): void {
    const view = new HeaderView()
    const sender: Side = this.plays === 'client' ? 'server' : 'client'
    for (let at = 0; at < datagram.length; at = view.packetEnd) {
      if (parseHeader(view, datagram, at, datagram.length, 8, true) !== HeaderResult.ok) return
      if (view.packetType === PacketType.retry || view.packetType === PacketType.versionNegotiation) return
      const secret = this.secretOrNull(view.packetType, sender)
      if (secret === null) continue
      const mask = new Uint8Array(MASK_LENGTH)
      const number = unprotectHeader(this.headerKey(secret), mask, datagram, at, view.packetNumberOffset, view.packetEnd)
      const payload = view.packetNumberOffset + packetNumberLengthOf(datagram[at]!)
      for (let generation = 0; generation < 8; generation += 1) {
        // Numbers in these tests stay small enough to be sent in full.
        if (!this.aead(secret, generation).open(datagram, at, payload, view.packetEnd, number)) continue
        this.opened.push({
          time,
          packetType: view.packetType,
          packetNumber: number,
          size: view.packetEnd - at,
          from,
          to,
          destination: view.destination().slice(),
          generation,
          frames: describeFrames(datagram.slice(), payload, view.packetEnd - TAG, 3),
          payload: datagram.slice(payload, view.packetEnd - TAG),
        })
        break
      }
    }
  }

  private aead(secret: Uint8Array, generation: number): AeadKey {
    const name = `${generation} ${toHex(secret)}`
    let key = this.aeads.get(name)
    if (key === undefined) this.aeads.set(name, (key = packetAead(provider, SUITE, generationSecret(secret, generation))))
    return key
  }

  private headerKey(secret: Uint8Array): HeaderKey {
    const name = toHex(secret)
    let key = this.headerKeys.get(name)
    if (key === undefined) this.headerKeys.set(name, (key = packetHeaderKey(provider, SUITE, secret)))
    return key
  }

  private secretOrNull(packetType: PacketType, sender: Side): Uint8Array | null {
    try {
      return this.secret(packetType, sender)
    } catch {
      return null
    }
  }
}

function generationSecret(secret: Uint8Array, generation: number): Uint8Array {
  let current = secret
  for (let i = 0; i < generation; i += 1) current = updatedSecret(provider, SUITE, current)
  return current
}
