// Connection IDs we give to the peer (RFC 9000 §5.1.1, §19.15, §19.16): issued up to the peer's active_connection_id_limit, replaced
// as it retires them. What is issued and retired is reported for whoever routes datagrams.

import { invariant } from '../base/assert.ts'
import { equalBytes } from '../base/bytes.ts'
import { Ring } from '../base/ring.ts'
import type { FrameSink } from '../delivery/frame-sink.ts'
import { Once } from '../delivery/once.ts'
import { TokenKind } from '../delivery/token.ts'
import { FrameType, TransportErrorCode } from '../wire/constants.ts'
import { newConnectionIdFrameSize, writeNewConnectionIdFrame } from '../wire/frames/connection-id.ts'
import { TransportError } from '../wire/transport-error.ts'
import type { ConnectionIdGenerator } from './generator.ts'
import type { ResetTokenDerivation } from './reset-token.ts'

const DEFAULT_MAX_ACTIVE = 4
const GENERATION_ATTEMPTS = 16

export type ConnectionIdEvent =
  | { readonly kind: 'connection-id-issued'; readonly connectionId: Uint8Array; readonly sequence: number }
  | { readonly kind: 'connection-id-retired'; readonly connectionId: Uint8Array; readonly sequence: number }

export interface LocalConnectionIdsConfig {
  readonly generator: ConnectionIdGenerator
  readonly resetToken: ResetTokenDerivation
  /** Sequence 0: the source connection ID of our first packets. The router knows it already: no event. */
  readonly initial: Uint8Array
  /** Most connection IDs active at once, whatever the peer allows. Default 4. */
  readonly maxActive?: number
}

class LocalConnectionId {
  readonly sequence: number
  readonly connectionId: Uint8Array
  readonly resetToken: Uint8Array
  readonly delivery: Once

  constructor(sequence: number, connectionId: Uint8Array, resetToken: Uint8Array) {
    this.sequence = sequence
    this.connectionId = connectionId
    this.resetToken = resetToken
    this.delivery = new Once()
  }
}

export class LocalConnectionIds {
  /** Bytes of every connection ID of ours. */
  readonly length: number
  private readonly generator: ConnectionIdGenerator
  private readonly resetToken: ResetTokenDerivation
  private readonly maxActive: number
  private readonly ids: LocalConnectionId[]
  private readonly events: Ring<ConnectionIdEvent>
  private alias: Uint8Array | null
  private nextSequence: number
  private largestSent: number
  private retirePriorTo: number
  private limit: number

  constructor(config: LocalConnectionIdsConfig) {
    this.length = config.initial.length
    this.generator = config.generator
    this.resetToken = config.resetToken
    this.maxActive = config.maxActive ?? DEFAULT_MAX_ACTIVE
    this.ids = [new LocalConnectionId(0, config.initial, config.resetToken(config.initial))]
    this.events = new Ring<ConnectionIdEvent>()
    this.alias = null
    this.nextSequence = 1
    this.largestSent = 0
    this.retirePriorTo = 0
    this.limit = 0
  }

  /** Stateless reset token of sequence 0, for the server's transport parameters. */
  initialResetToken(): Uint8Array {
    return this.ids[0]!.resetToken
  }

  /** A connection ID without sequence number that packets may carry as well: what the client chose for its first packets. */
  setAlias(connectionId: Uint8Array | null): void {
    this.alias = connectionId
  }

  /** Sequence 1, for the preferred_address parameter (RFC 9000 §5.1.1). Before setPeerLimit. */
  issuePreferred(): { readonly connectionId: Uint8Array; readonly resetToken: Uint8Array } {
    invariant(this.nextSequence === 1 && this.length > 0, 'preferred_address takes sequence 1')
    const { connectionId, resetToken } = this.issue(false)
    this.largestSent = 1
    return { connectionId, resetToken }
  }

  /** The peer's active_connection_id_limit: connection IDs are issued up to it. */
  setPeerLimit(activeConnectionIdLimit: number): void {
    this.limit = Math.min(activeConnectionIdLimit, this.maxActive)
    this.fill()
  }

  /** A RETIRE_CONNECTION_ID frame, in a packet sent to packetDestination. */
  onRetireConnectionId(sequence: number, packetDestination: Uint8Array): void {
    if (this.length === 0) throw violation('there is no connection ID to retire')
    // RFC 9000 §19.16: "greater than any previously sent to the peer MUST be treated as a connection error".
    if (sequence > this.largestSent) throw violation('a connection ID that was never sent is retired')
    const index = this.ids.findIndex((id) => id.sequence === sequence)
    if (index < 0) return
    const id = this.ids[index]!
    if (equalBytes(id.connectionId, packetDestination)) throw violation('the connection ID of the packet itself is retired')
    this.ids.splice(index, 1)
    this.events.push({ kind: 'connection-id-retired', connectionId: id.connectionId, sequence })
    this.fill()
  }

  /**
   * Asks the peer to retire all connection IDs issued so far, and issues others. False: it has not yet answered the last such
   * request (RFC 9000 §5.1.2), or connection IDs are empty.
   */
  replaceAll(): boolean {
    if (this.length === 0 || this.limit === 0 || this.ids.some((id) => id.sequence < this.retirePriorTo)) return false
    this.retirePriorTo = this.nextSequence
    this.fill()
    return true
  }

  /** Is buffer[start, start + length) a connection ID of ours? */
  has(buffer: Uint8Array, start: number, length: number): boolean {
    for (let i = 0; i < this.ids.length; i++) if (matches(this.ids[i]!.connectionId, buffer, start, length)) return true
    return this.alias !== null && matches(this.alias, buffer, start, length)
  }

  /** -1: not active. */
  sequenceOf(connectionId: Uint8Array): number {
    return this.ids.find((id) => equalBytes(id.connectionId, connectionId))?.sequence ?? -1
  }

  /** All active connection IDs, oldest first, without the alias. */
  active(): Uint8Array[] {
    return this.ids.map((id) => id.connectionId)
  }

  wants(): boolean {
    for (let i = 0; i < this.ids.length; i++) if (this.ids[i]!.delivery.wants()) return true
    return false
  }

  /** NEW_CONNECTION_ID frames. False: the packet is full and more is due. */
  write(sink: FrameSink): boolean {
    for (let i = 0; i < this.ids.length; i++) {
      const id = this.ids[i]!
      if (!id.delivery.wants()) continue
      const retirePriorTo = Math.min(this.retirePriorTo, id.sequence)
      if (sink.room() < newConnectionIdFrameSize(id.sequence, retirePriorTo, id.connectionId.length)) return false
      writeNewConnectionIdFrame(sink.writer, id.sequence, retirePriorTo, id.connectionId, id.resetToken)
      id.delivery.written()
      if (id.sequence > this.largestSent) this.largestSent = id.sequence
      sink.token(TokenKind.newConnectionId, id.sequence, 0, 0)
    }
    return true
  }

  acked(sequence: number): void {
    this.find(sequence)?.delivery.acked()
  }

  lost(sequence: number): void {
    this.find(sequence)?.delivery.lost()
  }

  pollEvent(): ConnectionIdEvent | null {
    return this.events.shift() ?? null
  }

  private find(sequence: number): LocalConnectionId | undefined {
    return this.ids.find((id) => id.sequence === sequence)
  }

  private fill(): void {
    if (this.length === 0) return
    // RFC 9000 §5.1.1: those the peer is asked to retire do not count.
    let lasting = 0
    for (const id of this.ids) if (id.sequence >= this.retirePriorTo) lasting += 1
    for (; lasting < this.limit; lasting++) this.issue(true)
  }

  private issue(announce: boolean): LocalConnectionId {
    const connectionId = this.generate()
    const id = new LocalConnectionId(this.nextSequence, connectionId, this.resetToken(connectionId))
    this.nextSequence += 1
    this.ids.push(id)
    if (announce) id.delivery.request()
    this.events.push({ kind: 'connection-id-issued', connectionId, sequence: id.sequence })
    return id
  }

  // RFC 9000 §5.1: "the same connection ID MUST NOT be issued more than once on the same connection."
  private generate(): Uint8Array {
    for (let attempt = 0; attempt < GENERATION_ATTEMPTS; attempt++) {
      const connectionId = this.generator.generate()
      invariant(connectionId.length === this.length, 'connection ID generator changed its length')
      if (!this.has(connectionId, 0, connectionId.length)) return connectionId
    }
    invariant(false, 'connection ID generator repeats itself')
  }
}

function matches(connectionId: Uint8Array, buffer: Uint8Array, start: number, length: number): boolean {
  if (connectionId.length !== length) return false
  for (let i = 0; i < length; i++) if (connectionId[i] !== buffer[start + i]) return false
  return true
}

function violation(reason: string): TransportError {
  return new TransportError(TransportErrorCode.protocolViolation, FrameType.retireConnectionId, reason)
}
