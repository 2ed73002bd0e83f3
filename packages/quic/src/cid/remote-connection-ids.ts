// Connection IDs the peer gives to us (RFC 9000 §5.1.2, §19.15). One is current, others may be reserved for other paths, the rest is
// spare. Bounded: active ones by our active_connection_id_limit, retirements not acknowledged yet by RETIRE_FACTOR times that, gaps
// in the sequence numbers seen by MAX_SEQUENCE_GAPS.

import { equalBytes } from '../base/bytes.ts'
import { RangeSet } from '../base/range-set.ts'
import type { FrameSink } from '../delivery/frame-sink.ts'
import { TokenKind } from '../delivery/token.ts'
import { FrameType, MAX_CID_LENGTH, RESET_TOKEN_LENGTH, TransportErrorCode } from '../wire/constants.ts'
import { retireConnectionIdFrameSize, writeRetireConnectionIdFrame } from '../wire/frames/connection-id.ts'
import { TransportError } from '../wire/transport-error.ts'

// RFC 9000 §5.1.2: "at least twice the value of the active_connection_id_limit".
const RETIRE_FACTOR = 4
const MAX_SEQUENCE_GAPS = 64

export interface RemoteConnectionIdsConfig {
  /** Our active_connection_id_limit. */
  readonly activeConnectionIdLimit: number
  /** Destination connection ID of our first packets. */
  readonly initial: Uint8Array
}

class RemoteConnectionId {
  readonly sequence: number
  connectionId: Uint8Array
  resetToken: Uint8Array | null
  /** Packets are or were sent with it. */
  used: boolean

  constructor(sequence: number, connectionId: Uint8Array, resetToken: Uint8Array | null) {
    this.sequence = sequence
    this.connectionId = connectionId
    this.resetToken = resetToken
    this.used = false
  }
}

export class RemoteConnectionIds {
  private readonly limit: number
  private readonly ids: RemoteConnectionId[]
  private active: RemoteConnectionId
  private readonly seen: RangeSet
  private retirePriorTo: number
  private readonly retirePending: RangeSet
  private readonly retireInFlight: RangeSet
  private retiring: number

  constructor(config: RemoteConnectionIdsConfig) {
    this.limit = config.activeConnectionIdLimit
    this.active = new RemoteConnectionId(0, config.initial, null)
    this.active.used = true
    this.ids = [this.active]
    this.seen = new RangeSet()
    this.seen.add(0, 1)
    this.retirePriorTo = 0
    this.retirePending = new RangeSet()
    this.retireInFlight = new RangeSet()
    this.retiring = 0
  }

  /** What the main path sends to. The same object until it changes. */
  current(): Uint8Array {
    return this.active.connectionId
  }

  currentSequence(): number {
    return this.active.sequence
  }

  /** The peer's own choice takes the place of ours (RFC 9000 §7.2): after a Retry, and with the server's first packet. */
  setInitial(connectionId: Uint8Array): void {
    this.active.connectionId = connectionId
  }

  /** stateless_reset_token of the peer's transport parameters: belongs to sequence 0. */
  setHandshakeResetToken(resetToken: Uint8Array): void {
    const first = this.find(0)
    if (first !== null) first.resetToken = resetToken
  }

  /** Sequence 1, from the preferred_address parameter. */
  addPreferred(connectionId: Uint8Array, resetToken: Uint8Array): void {
    this.onNewConnectionId(1, 0, connectionId, resetToken)
  }

  /** A NEW_CONNECTION_ID frame; the bytes are copied. */
  onNewConnectionId(sequence: number, retirePriorTo: number, connectionId: Uint8Array, resetToken: Uint8Array): void {
    if (this.active.connectionId.length === 0) throw violation('NEW_CONNECTION_ID although the peer chose an empty connection ID')
    if (retirePriorTo > sequence) throw encodingError('Retire Prior To above Sequence Number')
    if (connectionId.length < 1 || connectionId.length > MAX_CID_LENGTH) throw encodingError('connection ID length out of 1 to 20')
    const isNew = !this.seen.contains(sequence)
    this.checkReuse(sequence, connectionId, resetToken)
    if (isNew) {
      this.seen.add(sequence, sequence + 1)
      if (this.seen.length > MAX_SEQUENCE_GAPS) throw violation('too many gaps in connection ID sequence numbers')
    }
    // RFC 9000 §5.1.2: what is to be retired is retired before the new one is added.
    if (retirePriorTo > this.retirePriorTo) {
      this.retirePriorTo = retirePriorTo
      for (let i = this.ids.length - 1; i >= 0; i--) {
        const id = this.ids[i]!
        if (id.sequence < retirePriorTo && id !== this.active) this.drop(id)
      }
    }
    if (isNew) {
      if (sequence < this.retirePriorTo) this.queueRetirement(sequence)
      // Not slice(): a Node Buffer's is a view of the packet.
      else this.ids.push(new RemoteConnectionId(sequence, new Uint8Array(connectionId), new Uint8Array(resetToken)))
    }
    // Without another one there is nothing to send with: the current one stays until its replacement is there.
    if (this.active.sequence < this.retirePriorTo) this.rotate()
    const lasting = this.active.sequence < this.retirePriorTo ? this.ids.length - 1 : this.ids.length
    if (lasting > this.limit) {
      throw new TransportError(TransportErrorCode.connectionIdLimitError, FrameType.newConnectionId, 'more connection IDs than allowed')
    }
  }

  /** Connection IDs never used so far. */
  spare(): number {
    let count = 0
    for (const id of this.ids) if (!id.used) count += 1
    return count
  }

  /** Reserves an unused one for another path (RFC 9000 §9.5): its sequence number, -1 when there is none. */
  take(): number {
    const id = this.firstUnused()
    if (id === null) return -1
    id.used = true
    return id.sequence
  }

  /** The current or a reserved one; null once retired. */
  get(sequence: number): Uint8Array | null {
    return this.find(sequence)?.connectionId ?? null
  }

  /** The main path goes on with a reserved one; the former stays reserved until retire(). False: it is retired. */
  promote(sequence: number): boolean {
    const id = this.find(sequence)
    if (id === null) return false
    const former = this.active
    id.used = true
    this.active = id
    if (former.sequence < this.retirePriorTo) this.drop(former)
    return true
  }

  /** Retires the current one for an unused one. False: there is none, nothing changed. */
  rotate(): boolean {
    const next = this.firstUnused()
    if (next === null) return false
    const former = this.active
    next.used = true
    this.active = next
    this.drop(former)
    return true
  }

  /** A reserved one is not needed any more. The current one is rotated away, if it can be. */
  retire(sequence: number): void {
    const id = this.find(sequence)
    if (id === null) return
    if (id === this.active) this.rotate()
    else this.drop(id)
  }

  /**
   * Are buffer[position, position + 16) the stateless reset token of a connection ID in use? RFC 9000 §10.3.1: not of those never
   * used or retired, and in a time that does not depend on the bytes.
   */
  isResetToken(buffer: Uint8Array, position: number): boolean {
    if (position < 0 || position + RESET_TOKEN_LENGTH > buffer.length) return false
    let found = false
    for (let i = 0; i < this.ids.length; i++) {
      const id = this.ids[i]!
      const token = id.resetToken
      if (!id.used || token === null) continue
      let difference = token.length ^ RESET_TOKEN_LENGTH
      for (let k = 0; k < RESET_TOKEN_LENGTH; k++) difference |= token[k]! ^ buffer[position + k]!
      if (difference === 0) found = true
    }
    return found
  }

  wants(): boolean {
    return this.retirePending.length > 0
  }

  /** RETIRE_CONNECTION_ID frames. False: the packet is full and more is due. */
  write(sink: FrameSink): boolean {
    while (this.retirePending.length > 0) {
      const sequence = this.retirePending.min()
      if (sink.room() < retireConnectionIdFrameSize(sequence)) return false
      writeRetireConnectionIdFrame(sink.writer, sequence)
      this.retirePending.remove(sequence, sequence + 1)
      this.retireInFlight.add(sequence, sequence + 1)
      sink.token(TokenKind.retireConnectionId, sequence, 0, 0)
    }
    return true
  }

  acked(sequence: number): void {
    if (!this.retireInFlight.contains(sequence) && !this.retirePending.contains(sequence)) return
    this.retireInFlight.remove(sequence, sequence + 1)
    this.retirePending.remove(sequence, sequence + 1)
    this.retiring -= 1
  }

  lost(sequence: number): void {
    if (!this.retireInFlight.contains(sequence)) return
    this.retireInFlight.remove(sequence, sequence + 1)
    this.retirePending.add(sequence, sequence + 1)
  }

  private find(sequence: number): RemoteConnectionId | null {
    for (let i = 0; i < this.ids.length; i++) if (this.ids[i]!.sequence === sequence) return this.ids[i]!
    return null
  }

  /** RFC 9000 §5.1.1: in the order the peer issued them. */
  private firstUnused(): RemoteConnectionId | null {
    let first: RemoteConnectionId | null = null
    for (const id of this.ids) if (!id.used && (first === null || id.sequence < first.sequence)) first = id
    return first
  }

  private drop(id: RemoteConnectionId): void {
    const index = this.ids.indexOf(id)
    if (index < 0) return
    this.ids.splice(index, 1)
    this.queueRetirement(id.sequence)
  }

  private queueRetirement(sequence: number): void {
    this.retirePending.add(sequence, sequence + 1)
    this.retiring += 1
    if (this.retiring > this.limit * RETIRE_FACTOR) {
      throw new TransportError(TransportErrorCode.connectionIdLimitError, FrameType.newConnectionId, 'too many connection IDs to retire')
    }
  }

  // RFC 9000 §19.15: one sequence number, one connection ID, one token.
  private checkReuse(sequence: number, connectionId: Uint8Array, resetToken: Uint8Array): void {
    for (const id of this.ids) {
      const sameToken = id.resetToken !== null && equalBytes(id.resetToken, resetToken)
      const sameId = equalBytes(id.connectionId, connectionId)
      if (id.sequence === sequence) {
        if (!sameId || (id.resetToken !== null && !sameToken)) throw violation('a sequence number is used for different connection IDs')
      } else if (sameId || sameToken) {
        throw violation('a connection ID or reset token is used under two sequence numbers')
      }
    }
  }
}

function violation(reason: string): TransportError {
  return new TransportError(TransportErrorCode.protocolViolation, FrameType.newConnectionId, reason)
}

function encodingError(reason: string): TransportError {
  return new TransportError(TransportErrorCode.frameEncodingError, FrameType.newConnectionId, reason)
}
