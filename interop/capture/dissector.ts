// QUIC out of a capture, by this project's own packet parser and key schedule: datagrams to packets, packets to frames and handshake
// messages. Versions 1 and 2, Retry, 0-RTT, key updates, coalesced packets, connection IDs that change, clients that move.

import { toHex } from '../../packages/quic/src/base/bytes.ts'
import { FrameType, PacketType } from '../../packages/quic/src/wire/constants.ts'
import { HeaderResult, HeaderView, parseHeader } from '../../packages/quic/src/wire/header.ts'
import { ConnectionTable } from './connection-table.ts'
import { endpointName, type CaptureHosts, type CapturedDatagram, type CapturedMessage, type CapturedPacket, type CapturedPacketType, type Sender } from './datagram.ts'
import { readFrames } from './frames.ts'
import type { KeyLog } from './key-log.ts'
import type { CapturedIpPacket } from './pcap.ts'
import { TrackedConnection } from './tracked-connection.ts'
import { readUdpDatagram } from './udp.ts'

const TYPES: Readonly<Record<PacketType, CapturedPacketType>> = {
  [PacketType.initial]: 'initial',
  [PacketType.zeroRtt]: '0-rtt',
  [PacketType.handshake]: 'handshake',
  [PacketType.retry]: 'retry',
  [PacketType.versionNegotiation]: 'version-negotiation',
  [PacketType.oneRtt]: '1-rtt',
}

/** Packets kept until their ClientHello is whole: 0-RTT that was faster. */
const MAX_WAITING = 256

/** Where a packet stands, and where its result goes. */
interface PacketPlace {
  readonly sender: Sender
  /** The client's first: `CLIENT SERVER`. */
  readonly addresses: string
  readonly bytes: Uint8Array
  readonly start: number
  readonly packets: CapturedPacket[]
  readonly index: number
}

export class Dissector {
  private readonly keyLog: KeyLog
  private readonly hosts: CaptureHosts
  private readonly table: ConnectionTable
  private readonly header: HeaderView
  private readonly datagrams: CapturedDatagram[]
  private waiting: PacketPlace[]

  constructor(keyLog: KeyLog, hosts: CaptureHosts) {
    this.keyLog = keyLog
    this.hosts = hosts
    this.table = new ConnectionTable()
    this.header = new HeaderView()
    this.datagrams = []
    this.waiting = []
  }

  take(packet: CapturedIpPacket): void {
    const udp = readUdpDatagram(packet.bytes)
    if (udp === null || udp.payload.length === 0) return
    const sender = this.senderOf(udp.source, udp.sourcePort, udp.destination, udp.destinationPort)
    if (sender === null) return
    const source = endpointName(udp.source, udp.sourcePort)
    const destination = endpointName(udp.destination, udp.destinationPort)
    const addresses = sender === 'client' ? `${source} ${destination}` : `${destination} ${source}`
    const packets: CapturedPacket[] = []
    this.readPackets(sender, addresses, udp.payload, packets)
    const { ipVersion, ecn, payload } = udp
    this.datagrams.push({ frame: packet.frame, time: packet.time, sender, ipVersion, source, destination, ecn, length: payload.length, packets })
  }

  finish(): readonly CapturedDatagram[] {
    this.waiting = []
    return this.datagrams
  }

  private senderOf(source: string, sourcePort: number, destination: string, destinationPort: number): Sender | null {
    if (this.hosts.isServer(source, sourcePort)) return 'server'
    return this.hosts.isServer(destination, destinationPort) ? 'client' : null
  }

  private readPackets(sender: Sender, addresses: string, bytes: Uint8Array, packets: CapturedPacket[]): void {
    let start = 0
    let idLength = 0
    let firstId = ''
    while (start < bytes.length) {
      const short = (bytes[start]! & 0x80) === 0
      // RFC 9000 §12.2: coalesced packets have the same Destination Connection ID.
      if (short && start === 0) idLength = this.table.idLength(receiverOf(sender), bytes, start, addresses)
      const result = parseHeader(this.header, bytes, start, bytes.length, Math.max(idLength, 0), true)
      if (result !== HeaderResult.ok) {
        if (result === HeaderResult.unknownVersion) packets.push(this.describe('unknown'))
        else if (start === 0) packets.push(UNREADABLE)
        return
      }
      const end = this.header.packetEnd
      const destinationId = toHex(this.header.destination())
      // RFC 9000 §12.2 again: what goes to another connection ID is padding behind the packets, as some stacks add it.
      if (start === 0) firstId = destinationId
      else if (short && destinationId !== firstId) return
      packets.push(this.readPacket({ sender, addresses, bytes, start, packets, index: packets.length }, short && idLength < 0))
      idLength = this.header.destinationLength
      start = end
    }
  }

  /** The packet whose header has been parsed. */
  private readPacket(place: PacketPlace, unrouted: boolean): CapturedPacket {
    const { header } = this
    const plain = this.describe(TYPES[header.packetType])
    if (header.packetType === PacketType.versionNegotiation) return plain
    const connection = unrouted ? null : this.table.find(receiverOf(place.sender), plain.destinationId, place.addresses)
    if (header.packetType === PacketType.retry) {
      if (connection !== null && place.sender === 'server') {
        connection.onRetry(plain.sourceId)
        this.table.addId('server', plain.sourceId, connection)
      }
      return plain
    }
    const opened = connection === null ? this.openFirst(place, plain) : this.open(connection, place, plain)
    if (opened !== null) return opened
    if (place.sender === 'client' && header.packetType === PacketType.zeroRtt && this.waiting.length < MAX_WAITING) this.waiting.push(place)
    return plain
  }

  /** A client's Initial that opens with its own connection ID begins a connection. */
  private openFirst(place: PacketPlace, plain: CapturedPacket): CapturedPacket | null {
    if (place.sender !== 'client' || plain.type !== 'initial') return null
    return this.open(new TrackedConnection(this.keyLog, plain.destinationId), place, plain)
  }

  private open(connection: TrackedConnection, place: PacketPlace, plain: CapturedPacket): CapturedPacket | null {
    const { header, table } = this
    const { sender } = place
    const { packetType } = header
    const opened = connection.open(sender, header)
    if (opened === null) return null
    table.addId(sender, plain.sourceId, connection)
    table.addId(receiverOf(sender), plain.destinationId, connection)
    if (sender === 'client') table.addAddress(place.addresses, connection)
    const messages: CapturedMessage[] = []
    let repeatsCrypto = false
    let named = false
    const { packetNumber, payloadStart, payloadEnd, keyPhase } = opened
    const frames = readFrames(header.buffer, payloadStart, payloadEnd, (offset, data) => {
      const news = connection.onCrypto(sender, packetType, offset, data)
      messages.push(...news.messages)
      repeatsCrypto ||= news.repeats
      named ||= news.named
      if (news.preferredConnectionId !== null) table.addId('server', toHex(news.preferredConnectionId), connection)
    })
    for (const frame of frames) {
      if (frame.type === FrameType.newConnectionId && frame.connectionId !== undefined) table.addId(sender, toHex(frame.connectionId), connection)
    }
    const payloadLength = header.packetEnd - payloadStart
    const packet: CapturedPacket = {
      ...plain,
      packetNumber,
      keyPhase: packetType === PacketType.oneRtt ? keyPhase : null,
      decrypted: true,
      payloadLength,
      frames,
      messages,
      repeatsCrypto,
    }
    if (named) this.openWaiting()
    return packet
  }

  private openWaiting(): void {
    const outer = { ...this.header }
    const places = this.waiting
    this.waiting = []
    for (const place of places) {
      if (parseHeader(this.header, place.bytes, place.start, place.bytes.length, 0, true) !== HeaderResult.ok) continue
      const plain = this.describe(TYPES[this.header.packetType])
      const connection = this.table.find('server', plain.destinationId, place.addresses)
      const opened = connection === null ? null : this.open(connection, place, plain)
      if (opened === null) this.waiting.push(place)
      else place.packets[place.index] = opened
    }
    Object.assign(this.header, outer)
  }

  private describe(type: CapturedPacketType): CapturedPacket {
    const { header } = this
    return {
      type,
      version: header.version,
      destinationId: toHex(header.destination()),
      sourceId: toHex(header.source()),
      token: type === 'initial' || type === 'retry' ? toHex(header.token()) : '',
      packetNumber: -1,
      keyPhase: null,
      decrypted: false,
      payloadLength: header.packetEnd - header.packetNumberOffset,
      frames: [],
      messages: [],
      repeatsCrypto: false,
    }
  }
}

function receiverOf(sender: Sender): Sender {
  return sender === 'client' ? 'server' : 'client'
}

const UNREADABLE: CapturedPacket = {
  type: 'unknown',
  version: 0,
  destinationId: '',
  sourceId: '',
  token: '',
  packetNumber: -1,
  keyPhase: null,
  decrypted: false,
  payloadLength: 0,
  frames: [],
  messages: [],
  repeatsCrypto: false,
}
