// Unreliable datagrams both ways (RFC 9221). Never repeated, never flow controlled: both queues are bounded in count and bytes.
// A full receive queue drops the oldest; a full send queue refuses the newest, or drops the oldest where that is asked for. What becomes
// of a datagram is told to those who gave it a tag (RFC 9221 §5.2), and costs nobody else anything.

import { Ring } from '../base/ring.ts'
import type { FrameSink } from '../delivery/frame-sink.ts'
import { TokenKind } from '../delivery/token.ts'
import { FrameType, MAX_UDP_PAYLOAD, TransportErrorCode } from '../wire/constants.ts'
import { datagramFrameSize, writeDatagramFrame } from '../wire/frames/datagram.ts'
import { TransportError } from '../wire/transport-error.ts'
import { varintSize } from '../wire/varint.ts'

const DEFAULT_MAX_QUEUED = 512
const DEFAULT_MAX_QUEUED_BYTES = 1_048_576

/** Tagged datagrams that are queued, in flight, or whose outcome nobody has polled; send() refuses more. */
export const MAX_TAGGED = 8192

/** What became of a datagram that was given a tag. */
export type DatagramOutcome =
  /** Its packet was acknowledged: the peer's transport has it, its application perhaps not (RFC 9221 §5.2). */
  | { readonly kind: 'datagram-acknowledged'; readonly tag: number }
  /** Its packet was declared lost, or it was dropped before it was sent. It may have arrived all the same. */
  | { readonly kind: 'datagram-lost'; readonly tag: number }

export interface DatagramQueueConfig {
  /** Our max_datagram_frame_size; 0: a received one is a PROTOCOL_VIOLATION. */
  readonly maxFrameSize: number
  /** Datagrams per direction. Default 512. */
  readonly maxQueued?: number
  /** Bytes of memory per direction. Default 1 MiB. */
  readonly maxQueuedBytes?: number
  /** A full send queue drops its oldest datagram instead of refusing a new one. Default false. */
  readonly dropOldest?: boolean
}

export class DatagramQueue {
  /** Received ones dropped because nobody read. */
  receivedDropped: number
  /** Queued ones dropped: the path's packets became too small for them, or (with `dropOldest`) newer ones needed the room. */
  sendDropped: number
  /** DATAGRAM frames written, and received. */
  sent: number
  received: number
  private readonly maxFrameSize: number
  private readonly maxQueued: number
  private readonly maxQueuedBytes: number
  private readonly dropOldest: boolean
  private readonly outgoing: Ring<Uint8Array>
  /** Serial numbers of the queued ones, 0 for those without a tag. Made by the first tag. */
  private serials: Ring<number> | null
  /** Tags of those whose outcome is open, by serial number. */
  private readonly tags: Map<number, number>
  private nextSerial: number
  private readonly outcomes: Ring<DatagramOutcome>
  private outgoingBytes: number
  private readonly incoming: Ring<Uint8Array>
  private incomingBytes: number
  private peerLimit: number
  private packetRoom: number
  private readable: boolean

  constructor(config: DatagramQueueConfig) {
    this.receivedDropped = 0
    this.sendDropped = 0
    this.sent = 0
    this.received = 0
    this.maxFrameSize = config.maxFrameSize
    this.maxQueued = config.maxQueued ?? DEFAULT_MAX_QUEUED
    this.maxQueuedBytes = config.maxQueuedBytes ?? DEFAULT_MAX_QUEUED_BYTES
    this.dropOldest = config.dropOldest ?? false
    this.outgoing = new Ring<Uint8Array>()
    this.serials = null
    this.tags = new Map()
    this.nextSerial = 1
    this.outcomes = new Ring<DatagramOutcome>()
    this.outgoingBytes = 0
    this.incoming = new Ring<Uint8Array>()
    this.incomingBytes = 0
    this.peerLimit = 0
    this.packetRoom = MAX_UDP_PAYLOAD
    this.readable = false
  }

  /** Peer's max_datagram_frame_size, in bytes of a frame. What waits and is too large for it is dropped: the limit of 0-RTT was higher. */
  setPeerLimit(bytes: number): void {
    const shrinks = bytes < this.peerLimit
    this.peerLimit = bytes
    for (let left = shrinks ? this.outgoing.length : 0; left > 0; left -= 1) {
      const data = this.outgoing.shift()!
      if (datagramFrameSize(data.length) <= bytes) {
        this.outgoing.push(data)
      } else {
        this.outgoingBytes -= data.length
        this.sendDropped += 1
      }
    }
  }

  /** Frame bytes that fit an otherwise empty packet on the path of now; larger datagrams are refused, or dropped when queued. */
  setPacketRoom(bytes: number): void {
    this.packetRoom = bytes
  }

  /** Largest payload send() takes now, in bytes; 0 when the peer accepts none. */
  maxSize(): number {
    const frame = Math.min(this.peerLimit, this.packetRoom)
    if (frame < 2) return 0
    // RFC 9221 §3: the limit covers type, length and data.
    let size = frame - 1 - varintSize(frame)
    while (datagramFrameSize(size + 1) <= frame) size += 1
    return size
  }

  /**
   * Queues a datagram and takes the bytes over. False: not negotiated, too large, or the queue is full. With a tag its outcome follows,
   * once, as a DatagramOutcome; then false also when MAX_TAGGED are open. Throws RangeError for a tag that is no integer from 0.
   */
  send(data: Uint8Array, tag: number = -1): boolean {
    if (this.peerLimit === 0 || datagramFrameSize(data.length) > Math.min(this.peerLimit, this.packetRoom)) return false
    if (tag !== -1) {
      if (!Number.isSafeInteger(tag) || tag < 0) throw new RangeError('the tag of a datagram is an integer from 0')
      if (this.tags.size + this.outcomes.length >= MAX_TAGGED) return false
    }
    if (!this.makeRoom(data.length)) return false
    this.outgoing.push(data)
    this.outgoingBytes += data.length
    if (tag !== -1 || this.serials !== null) this.pushSerial(tag)
    return true
  }

  /** Datagrams waiting to be sent. */
  get queuedCount(): number {
    return this.outgoing.length
  }

  wants(): boolean {
    return this.outgoing.length > 0
  }

  /** DATAGRAM frames in order. False: the packet is full and more is due. */
  write(sink: FrameSink): boolean {
    for (;;) {
      const data = this.outgoing.peek()
      if (data === undefined) return true
      const size = datagramFrameSize(data.length)
      if (size <= sink.room()) {
        writeDatagramFrame(sink.writer, data)
        sink.token(TokenKind.datagram, data.length, this.serials?.peek() ?? 0, 0)
        this.sent += 1
        this.shiftOutgoing()
      } else if (size <= this.packetRoom) {
        return false
      } else {
        this.dropFirst()
      }
    }
  }

  /** The packet with the datagram of that serial number was acknowledged. After lost() it is too late. */
  acked(serial: number): void {
    if (serial !== 0) this.settle(serial, 'datagram-acknowledged')
  }

  /** The packet was declared lost. RFC 9221 §5: the datagram is not sent again. */
  lost(serial: number): void {
    if (serial !== 0) this.settle(serial, 'datagram-lost')
  }

  /** The next outcome of a tagged datagram, null when there is none. */
  pollOutcome(): DatagramOutcome | null {
    return this.outcomes.length === 0 ? null : this.outcomes.shift()!
  }

  /** A DATAGRAM frame. Throws PROTOCOL_VIOLATION when it is larger than we announced. The buffer is the room's from now on. */
  onDatagram(buffer: Uint8Array, start: number, length: number): void {
    // RFC 9221 §3. The Length field is optional, so the frame had at least a type and the data.
    if (this.maxFrameSize === 0 || length + 1 > this.maxFrameSize) {
      throw new TransportError(TransportErrorCode.protocolViolation, FrameType.datagram, 'frame larger than max_datagram_frame_size')
    }
    this.received += 1
    const backing = buffer.buffer.byteLength
    const view = buffer.subarray(start, start + length)
    // A view keeps its whole packet alive; not slice(), which is a view when the driver hands over a Node Buffer.
    const data = length * 2 >= backing ? view : new Uint8Array(view)
    while (this.isReceiveQueueFull(length)) {
      this.incomingBytes -= this.incoming.shift()!.length
      this.receivedDropped += 1
    }
    if (this.incoming.length === 0) this.readable = true
    this.incoming.push(data)
    this.incomingBytes += length
  }

  /** The oldest received datagram, null when there is none. */
  receive(): Uint8Array | null {
    const data = this.incoming.shift()
    if (data === undefined) return null
    this.incomingBytes -= data.length
    return data
  }

  /** Received datagrams nobody has taken yet. */
  get receivedCount(): number {
    return this.incoming.length
  }

  /** True once after the receive queue went from empty to not empty. */
  pollReadable(): boolean {
    const readable = this.readable
    this.readable = false
    return readable
  }

  private makeRoom(length: number): boolean {
    while (this.outgoing.length >= this.maxQueued || this.outgoingBytes + length > this.maxQueuedBytes) {
      if (!this.dropOldest || this.outgoing.length === 0) return false
      this.dropFirst()
    }
    return true
  }

  private pushSerial(tag: number): void {
    if (this.serials === null) {
      this.serials = new Ring<number>()
      while (this.serials.length < this.outgoing.length - 1) this.serials.push(0)
    }
    this.serials.push(tag === -1 ? 0 : this.nextSerial)
    if (tag === -1) return
    this.tags.set(this.nextSerial, tag)
    this.nextSerial += 1
  }

  private dropFirst(): void {
    this.sendDropped += 1
    this.lost(this.serials?.peek() ?? 0)
    this.shiftOutgoing()
  }

  private shiftOutgoing(): void {
    this.outgoingBytes -= this.outgoing.shift()!.length
    if (this.serials !== null) this.serials.shift()
  }

  private settle(serial: number, kind: DatagramOutcome['kind']): void {
    const tag = this.tags.get(serial)
    if (tag === undefined) return
    this.tags.delete(serial)
    this.outcomes.push({ kind, tag })
  }

  private isReceiveQueueFull(length: number): boolean {
    if (this.incoming.length === 0) return false
    return this.incoming.length >= this.maxQueued || this.incomingBytes + length > this.maxQueuedBytes
  }
}
