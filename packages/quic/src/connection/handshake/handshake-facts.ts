// The facts of the handshake that outlive its packets: which connection IDs were used (RFC 9000 §7.3), the peer's
// transport parameters, and whether HANDSHAKE_DONE is owed (RFC 9001 §4.1.2).

import { EMPTY } from '../../base/bytes.ts'
import type { FrameSink } from '../../delivery/frame-sink.ts'
import { TokenKind } from '../../delivery/token.ts'
import { FrameType } from '../../wire/constants.ts'
import type { TransportParameters } from '../../wire/transport-parameters/table.ts'

export class HandshakeFacts {
  /** The destination connection ID of the client's very first Initial. */
  readonly originalDestinationConnectionId: Uint8Array
  /** The source connection ID of the peer's first Initial; null until one arrived. */
  peerInitialSourceConnectionId: Uint8Array | null
  /** The source connection ID of the Retry that was followed, null without one. */
  retrySourceConnectionId: Uint8Array | null
  /** Address token for the client's Initial packets. */
  token: Uint8Array
  peerParameters: TransportParameters | null
  version: number
  /** When an incomplete handshake is given up, Infinity for never. */
  readonly deadline: number
  /** Milliseconds from start to completion, -1 until then. */
  duration: number
  readonly startedAt: number
  /** The peer has proved to hold Handshake keys, or has acknowledged them (RFC 9002 §6.2.2.1). */
  peerAddressValidated: boolean
  private doneDue: boolean

  constructor(originalDestinationConnectionId: Uint8Array, version: number, now: number, timeout: number) {
    this.originalDestinationConnectionId = originalDestinationConnectionId
    this.peerInitialSourceConnectionId = null
    this.retrySourceConnectionId = null
    this.token = EMPTY
    this.peerParameters = null
    this.version = version
    this.deadline = timeout > 0 ? now + timeout : Infinity
    this.duration = -1
    this.startedAt = now
    this.peerAddressValidated = false
    this.doneDue = false
  }

  oweHandshakeDone(): void {
    this.doneDue = true
  }

  wantsHandshakeDone(): boolean {
    return this.doneDue
  }

  writeHandshakeDone(sink: FrameSink): boolean {
    if (!this.doneDue) return true
    if (sink.room() < 1) return false
    sink.writer.varint(FrameType.handshakeDone)
    sink.token(TokenKind.handshakeDone, 0, 0, 0)
    this.doneDue = false
    return true
  }

  onHandshakeDoneLost(): void {
    this.doneDue = true
  }
}
