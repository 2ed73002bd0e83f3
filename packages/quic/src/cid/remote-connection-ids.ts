// Connection IDs the peer gives to us (RFC 9000 §5.1.2, §19.15) and which path sends to which of them (§9.5). The rest is spare.
// Bounded: active ones by our active_connection_id_limit, retirements not acknowledged yet by RETIRE_FACTOR times that, gaps
// in the sequence numbers seen by MAX_SEQUENCE_GAPS.

import { invariant } from '../base/assert.ts'
import { EMPTY, equalBytes } from '../base/bytes.ts'
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

/** What a path sends to. It changes when the peer retires the connection ID. */
export interface PathConnectionId {
  /** -1: the path has none and cannot send until the peer issues one. */
  readonly sequence: number
  readonly connectionId: Uint8Array
}

class Assignment implements PathConnectionId {
  sequence: number
  connectionId: Uint8Array
  /** Paths that send to it. */
  users: number

  constructor(sequence: number, connectionId: Uint8Array) {
    this.sequence = sequence
    this.connectionId = connectionId
    this.users = 1
  }
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
  /** The main path's first: when there are too few connection IDs, it is served first. */
  private readonly assignments: Assignment[]
  private readonly seen: RangeSet
  private retirePriorTo: number
  private readonly retirePending: RangeSet
  private readonly retireInFlight: RangeSet
  private retiring: number

  constructor(config: RemoteConnectionIdsConfig) {
    this.limit = config.activeConnectionIdLimit
    const first = new RemoteConnectionId(0, config.initial, null)
    first.used = true
    this.ids = [first]
    this.assignments = [new Assignment(0, config.initial)]
    this.seen = new RangeSet()
    this.seen.add(0, 1)
    this.retirePriorTo = 0
    this.retirePending = new RangeSet()
    this.retireInFlight = new RangeSet()
    this.retiring = 0
  }

  /** What the main path sends to, from the first packet on. */
  main(): PathConnectionId {
    return this.assignments[0]!
  }

  /** The peer chose an empty connection ID: every path sends to it (RFC 9000 §5.1.1). */
  get isEmpty(): boolean {
    return this.ids.length > 0 && this.ids[0]!.connectionId.length === 0
  }

  /** The peer's own choice takes the place of ours (RFC 9000 §7.2): after a Retry, and with the server's first packet. */
  setInitial(connectionId: Uint8Array): void {
    this.ids[0]!.connectionId = connectionId
    this.assignments[0]!.connectionId = connectionId
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
    if (this.isEmpty) throw violation('NEW_CONNECTION_ID although the peer chose an empty connection ID')
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
        if (id.sequence < retirePriorTo && id.sequence !== this.main().sequence) this.drop(id)
      }
    }
    if (isNew) {
      if (sequence < this.retirePriorTo) this.queueRetirement(sequence)
      // Not slice(): a Node Buffer's is a view of the packet.
      else this.ids.push(new RemoteConnectionId(sequence, new Uint8Array(connectionId), new Uint8Array(resetToken)))
    }
    // Without another one there is nothing to send with: the main path's stays until its replacement is there. Other paths wait.
    for (const assignment of this.assignments) if (assignment.sequence < this.retirePriorTo) this.replace(assignment)
    const lasting = this.main().sequence < this.retirePriorTo ? this.ids.length - 1 : this.ids.length
    if (lasting > this.limit) {
      throw new TransportError(TransportErrorCode.connectionIdLimitError, FrameType.newConnectionId, 'more connection IDs than allowed')
    }
    // Here and not where one is retired: paths end at timeouts too, and without new connection IDs there is nothing to retire.
    if (this.retiring > this.limit * RETIRE_FACTOR) {
      throw new TransportError(TransportErrorCode.connectionIdLimitError, FrameType.newConnectionId, 'too many connection IDs to retire')
    }
  }

  /** Connection IDs never used so far. */
  spare(): number {
    let count = 0
    for (const id of this.ids) if (!id.used) count += 1
    return count
  }

  /** One that no other path has sent to (RFC 9000 §9.5), or the promise of one; to an empty connection ID all paths send. */
  assign(): PathConnectionId {
    if (this.isEmpty) return this.share(this.main())
    const assignment = new Assignment(-1, EMPTY)
    this.assignments.push(assignment)
    this.replace(assignment)
    return assignment
  }

  /** RFC 9000 §9.5: a peer whose address changed without a new connection ID may be answered without one, too. */
  share(shared: PathConnectionId): PathConnectionId {
    const assignment = this.assignmentOf(shared)
    assignment.users += 1
    return assignment
  }

  /** A path is gone. With the last one that sent to it, a connection ID is retired (RFC 9000 §5.1.2). */
  release(released: PathConnectionId): void {
    const assignment = this.assignmentOf(released)
    assignment.users -= 1
    if (assignment.users > 0) return
    this.assignments.splice(this.assignments.indexOf(assignment), 1)
    const id = this.find(assignment.sequence)
    if (id !== null) this.drop(id)
  }

  /** The path that sends to it is the main one now. */
  prefer(preferred: PathConnectionId): void {
    const assignment = this.assignmentOf(preferred)
    this.assignments.splice(this.assignments.indexOf(assignment), 1)
    this.assignments.unshift(assignment)
  }

  /** Retires what the main path sends to for an unused one. False: there is none, nothing changed. */
  rotate(): boolean {
    return this.spare() > 0 && this.replace(this.assignments[0]!)
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

  private assignmentOf(given: PathConnectionId): Assignment {
    for (const assignment of this.assignments) if (assignment === given) return assignment
    invariant(false, 'no path sends to that connection ID')
  }

  /** False: there is no unused one. Unless it is the main path's, the assignment is empty then. */
  private replace(assignment: Assignment): boolean {
    const next = this.firstUnused()
    const former = this.find(assignment.sequence)
    if (next === null) {
      if (assignment !== this.assignments[0]) {
        assignment.sequence = -1
        assignment.connectionId = EMPTY
      }
      return false
    }
    next.used = true
    assignment.sequence = next.sequence
    assignment.connectionId = next.connectionId
    if (former !== null) this.drop(former)
    return true
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
