// Why a connection ended. Exactly one reason per connection, reported once as the `closed` event.

import { FrameType, TransportErrorCode } from '../wire/constants.ts'
import type { TransportError } from '../wire/transport-error.ts'
import type { WireValue } from '../wire/varint.ts'

/**
 * Who ended the connection: `local` – a close() call or an error found here; `peer` – CONNECTION_CLOSE received;
 * `idle-timeout` – RFC 9000 §10.1; `handshake-timeout` – the handshake deadline; `stateless-reset` – RFC 9000 §10.3;
 * `version-negotiation` – the server does not speak our version (RFC 9000 §6.2); `versions` says which it does.
 */
export type CloseCause = 'local' | 'peer' | 'idle-timeout' | 'handshake-timeout' | 'stateless-reset' | 'version-negotiation'

export interface CloseReason {
  readonly cause: CloseCause
  /** True for an application close (frame 0x1d), false for a transport close (0x1c) and for timeouts and resets. */
  readonly application: boolean
  /** The wire code; TransportErrorCode or CRYPTO_ERROR when not an application close. */
  readonly code: WireValue
  /** The frame type that triggered a transport close, 0 if unknown. */
  readonly frameType: number
  readonly reason: string
  /** The error found here, when there was one: a TransportError, for certificates a CertificateError. */
  readonly error: TransportError | null
  /** Only with `version-negotiation`. */
  readonly versions?: VersionOffer
}

/** What a Version Negotiation packet said. */
export interface VersionOffer {
  /** In the server's order, reserved ones included. */
  readonly offered: readonly number[]
  /** The version to try instead, in a new connection with `originalVersion` and `afterVersionNegotiation`; null: none in common. */
  readonly suggested: number | null
}

export function closedByError(error: TransportError): CloseReason {
  return { cause: 'local', application: false, code: error.wireCode, frameType: error.frameType, reason: error.reason, error }
}

export function closedSilently(cause: CloseCause, reason: string): CloseReason {
  return { cause, application: false, code: TransportErrorCode.noError, frameType: FrameType.padding, reason, error: null }
}

export function closedByVersionNegotiation(names: readonly string[], versions: VersionOffer): CloseReason {
  const what = versions.suggested === null ? 'no common QUIC version' : 'another QUIC version is needed'
  return { ...closedSilently('version-negotiation', `${what}; the server offers ${names.join(', ')}`), versions }
}

export function closedByApplication(code: WireValue, reason: string): CloseReason {
  return { cause: 'local', application: true, code, frameType: FrameType.padding, reason, error: null }
}

export function closedByTransport(code: number, reason: string): CloseReason {
  return { cause: 'local', application: false, code, frameType: FrameType.padding, reason, error: null }
}
