// The one error that bytes from the peer may raise in this package (RFC 9000 §11.1). Caught at the edge of the
// receive pipeline, where it becomes a CONNECTION_CLOSE frame of type 0x1c.

import { TransportErrorCode } from './constants.ts'

const NAMES: readonly string[] = [
  'NO_ERROR',
  'INTERNAL_ERROR',
  'CONNECTION_REFUSED',
  'FLOW_CONTROL_ERROR',
  'STREAM_LIMIT_ERROR',
  'STREAM_STATE_ERROR',
  'FINAL_SIZE_ERROR',
  'FRAME_ENCODING_ERROR',
  'TRANSPORT_PARAMETER_ERROR',
  'CONNECTION_ID_LIMIT_ERROR',
  'PROTOCOL_VIOLATION',
  'INVALID_TOKEN',
  'APPLICATION_ERROR',
  'CRYPTO_BUFFER_EXCEEDED',
  'KEY_UPDATE_ERROR',
  'AEAD_LIMIT_REACHED',
  'NO_VIABLE_PATH',
  'VERSION_NEGOTIATION_ERROR',
]

/** RFC 9000 §20.1 name of a transport error code: 'FRAME_ENCODING_ERROR'; 'CRYPTO_ERROR' for 0x100–0x1ff; else 'UNKNOWN_ERROR'. */
export function transportErrorName(wireCode: number): string {
  if (wireCode >= TransportErrorCode.cryptoError && wireCode <= TransportErrorCode.cryptoError + 0xff) return 'CRYPTO_ERROR'
  return NAMES[wireCode] ?? 'UNKNOWN_ERROR'
}

/** A connection error of the transport. */
export class TransportError extends Error {
  /** Stable name for programs: 'QUIC_' and the RFC's name, such as 'QUIC_FRAME_ENCODING_ERROR'. */
  readonly code: string
  /** Code in the CONNECTION_CLOSE frame (RFC 9000 §20.1); a TLS alert is 0x100 + alert. */
  readonly wireCode: number
  /** Type of the frame that caused it; 0 when none or unknown. */
  readonly frameType: number
  /** Human-readable cause; sent to the peer, so never a secret. */
  readonly reason: string

  constructor(wireCode: number, frameType: number, reason: string) {
    const name = transportErrorName(wireCode)
    super(`${name}: ${reason}`)
    this.name = 'TransportError'
    this.code = `QUIC_${name}`
    this.wireCode = wireCode
    this.frameType = frameType
    this.reason = reason
  }
}

/** FRAME_ENCODING_ERROR: what a frame decoder throws. */
export function frameEncodingError(frameType: number, reason: string): TransportError {
  return new TransportError(TransportErrorCode.frameEncodingError, frameType, reason)
}

/** TRANSPORT_PARAMETER_ERROR; the parameters travel in CRYPTO frames. */
export function transportParameterError(reason: string): TransportError {
  return new TransportError(TransportErrorCode.transportParameterError, 0x06, reason)
}
