// All streams of a connection by ID: opening, finding, removing (RFC 9000 §2.1, §3.2, §4.6). Streams of a type are opened in
// order, so "closed" is `index < opened and not in the map`, and no set of closed streams grows. remove() is the only way out.

import { TransportErrorCode } from '../wire/constants.ts'
import { TransportError } from '../wire/transport-error.ts'
import type { FlowClock, FlowReceiver } from './flow-receiver.ts'
import { RecvStream } from './recv-stream.ts'
import { Stream } from './stream.ts'
import type { Role } from './stream-id.ts'
import { indexOf, isBidirectional, isInitiatedBy, streamIdOf } from './stream-id.ts'
import { IncomingLimit, OutgoingLimit } from './stream-limits.ts'
import type { StreamLimitParameters } from './stream-parameters.ts'

export class StreamMap {
  readonly incomingBidi: IncomingLimit
  readonly incomingUni: IncomingLimit
  readonly outgoingBidi: OutgoingLimit
  readonly outgoingUni: OutgoingLimit
  private readonly streams: Map<number, Stream>
  private readonly role: Role
  private readonly peerRole: Role
  private readonly local: StreamLimitParameters
  private peer: StreamLimitParameters | null
  private readonly maxStreamWindow: number
  private readonly clock: FlowClock
  private readonly connection: FlowReceiver
  private readonly onOpened: (stream: Stream) => void

  constructor(
    role: Role,
    local: StreamLimitParameters,
    maxStreamWindow: number,
    clock: FlowClock,
    connection: FlowReceiver,
    onOpened: (stream: Stream) => void,
  ) {
    this.incomingBidi = new IncomingLimit(local.initialMaxStreamsBidi)
    this.incomingUni = new IncomingLimit(local.initialMaxStreamsUni)
    this.outgoingBidi = new OutgoingLimit()
    this.outgoingUni = new OutgoingLimit()
    this.streams = new Map()
    this.role = role
    this.peerRole = role === 'client' ? 'server' : 'client'
    this.local = local
    this.peer = null
    this.maxStreamWindow = maxStreamWindow
    this.clock = clock
    this.connection = connection
    this.onOpened = onOpened
  }

  get size(): number {
    return this.streams.size
  }

  get(streamId: number): Stream | undefined {
    return this.streams.get(streamId)
  }

  values(): IterableIterator<Stream> {
    return this.streams.values()
  }

  setPeer(peer: StreamLimitParameters): void {
    this.peer = peer
  }

  outgoing(bidirectional: boolean): OutgoingLimit {
    return bidirectional ? this.outgoingBidi : this.outgoingUni
  }

  incoming(bidirectional: boolean): IncomingLimit {
    return bidirectional ? this.incomingBidi : this.incomingUni
  }

  /** A new stream of ours; null when the peer's limit does not allow one. */
  open(bidirectional: boolean): Stream | null {
    const limit = this.outgoing(bidirectional)
    if (limit.left() <= 0) {
      limit.refuse()
      return null
    }
    const stream = this.create(streamIdOf(limit.opened, this.role, bidirectional), true, bidirectional)
    limit.opened += 1
    return stream
  }

  /** The stream of a frame about the half we receive on; null when it is closed. Opens streams of the peer. */
  forReceiving(streamId: number, frameType: number): Stream | null {
    const known = this.streams.get(streamId)
    if (known !== undefined && known.recv !== null) return known
    if (isInitiatedBy(streamId, this.role) && !isBidirectional(streamId)) throw stateError(frameType, 'frame for a send-only stream')
    return this.openUpTo(streamId, frameType)
  }

  /** The stream of a frame about the half we send on; null when it is closed. Opens streams of the peer. */
  forSending(streamId: number, frameType: number): Stream | null {
    const known = this.streams.get(streamId)
    if (known !== undefined && known.send !== null) return known
    if (!isInitiatedBy(streamId, this.role) && !isBidirectional(streamId)) throw stateError(frameType, 'frame for a receive-only stream')
    return this.openUpTo(streamId, frameType)
  }

  /** False for a stream of ours that the peer's limit does not cover: opened early under a limit that was higher. */
  isWithinLimit(streamId: number): boolean {
    return !isInitiatedBy(streamId, this.role) || indexOf(streamId) < this.outgoing(isBidirectional(streamId)).limit
  }

  /** Every stream is gone, and ours are numbered from the beginning. Only while the peer has opened none. */
  forgetAll(): void {
    this.streams.clear()
    this.outgoingBidi.opened = 0
    this.outgoingUni.opened = 0
  }

  /** The only way out. Both halves are terminal. */
  remove(stream: Stream): void {
    this.streams.delete(stream.id)
    if (isInitiatedBy(stream.id, this.peerRole)) this.incoming(isBidirectional(stream.id)).onClosed()
  }

  private openUpTo(streamId: number, frameType: number): Stream | null {
    const index = indexOf(streamId)
    const bidirectional = isBidirectional(streamId)
    if (isInitiatedBy(streamId, this.role)) {
      if (index >= this.outgoing(bidirectional).opened) throw stateError(frameType, 'frame for a stream that has not been created')
      return this.streams.get(streamId) ?? null
    }
    const limit = this.incoming(bidirectional)
    if (index < limit.opened) return this.streams.get(streamId) ?? null
    if (!limit.allows(index)) {
      throw new TransportError(TransportErrorCode.streamLimitError, frameType, 'stream beyond the advertised limit')
    }
    // RFC 9000 §3.2: "Before a stream is created, all streams of the same type with lower-numbered stream IDs MUST be created."
    while (limit.opened <= index) {
      const stream = this.create(streamIdOf(limit.opened, this.peerRole, bidirectional), false, bidirectional)
      limit.onOpened()
      this.onOpened(stream)
    }
    return this.streams.get(streamId)!
  }

  private create(streamId: number, ours: boolean, bidirectional: boolean): Stream {
    const receives = !ours || bidirectional
    const sends = ours || bidirectional
    const window = this.receiveWindow(ours, bidirectional)
    const recv = receives ? new RecvStream(window, this.maxStreamWindow, this.clock, this.connection) : null
    const stream = new Stream(streamId, sends ? this.sendLimit(ours, bidirectional) : -1, recv)
    this.streams.set(streamId, stream)
    return stream
  }

  private receiveWindow(ours: boolean, bidirectional: boolean): number {
    if (!bidirectional) return this.local.initialMaxStreamDataUni
    return ours ? this.local.initialMaxStreamDataBidiLocal : this.local.initialMaxStreamDataBidiRemote
  }

  // The peer's "local" is its own streams, its "remote" ours.
  private sendLimit(ours: boolean, bidirectional: boolean): number {
    const peer = this.peer
    if (peer === null) return 0
    if (!bidirectional) return peer.initialMaxStreamDataUni
    return ours ? peer.initialMaxStreamDataBidiRemote : peer.initialMaxStreamDataBidiLocal
  }

  /** The initial limit of an open stream by the parameters of now. */
  initialSendLimit(stream: Stream): number {
    return this.sendLimit(isInitiatedBy(stream.id, this.role), isBidirectional(stream.id))
  }
}

function stateError(frameType: number, reason: string): TransportError {
  return new TransportError(TransportErrorCode.streamStateError, frameType, reason)
}
