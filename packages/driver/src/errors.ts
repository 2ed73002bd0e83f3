// Every error a user of the driver can see: classes with a stable `code`. Wire codes and alerts ride along where there are any.

import type { CloseReason } from '@quicwire/quic'

export type DriverErrorCode =
  | 'QUIC_PORT_IN_USE'
  | 'QUIC_ADDRESS_NOT_AVAILABLE'
  | 'QUIC_PERMISSION_DENIED'
  | 'QUIC_SOCKET_FAILED'
  | 'QUIC_SOCKET_MISUSE'
  | 'QUIC_SOCKET_UNAVAILABLE'
  | 'QUIC_NAME_NOT_FOUND'
  | 'QUIC_INVALID_OPTION'
  | 'QUIC_CONNECT_TIMEOUT'
  | 'QUIC_CONNECTION_REFUSED'
  | 'QUIC_HANDSHAKE_TIMEOUT'
  | 'QUIC_HANDSHAKE_FAILED'
  | 'QUIC_CERTIFICATE_REFUSED'
  | 'QUIC_VERSION_NEGOTIATION_FAILED'
  | 'QUIC_IDLE_TIMEOUT'
  | 'QUIC_PEER_CLOSED'
  | 'QUIC_CLOSED'
  | 'QUIC_PROTOCOL_ERROR'
  | 'QUIC_POST_ACCEPT_TIMEOUT'
  | 'QUIC_MIGRATION_FAILED'
  | 'QUIC_STATELESS_RESET'
  | 'QUIC_APPLICATION_FAILED'

export class DriverError extends Error {
  override readonly name: string = 'DriverError'
  readonly code: DriverErrorCode

  constructor(code: DriverErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** An option that cannot be used: a certificate that does not parse, settings out of range. */
export class OptionError extends DriverError {
  override readonly name = 'OptionError'

  constructor(message: string, cause?: unknown) {
    super('QUIC_INVALID_OPTION', message, cause)
  }
}

/** The socket could not be opened or stopped working. `cause` is the system's error. */
export class SocketError extends DriverError {
  override readonly name = 'SocketError'
}

/** The host name has no address. */
export class NameError extends DriverError {
  override readonly name = 'NameError'
  readonly host: string

  constructor(host: string, cause: Error) {
    super('QUIC_NAME_NOT_FOUND', `no address for host ${host}: ${cause.message}`, cause)
    this.host = host
  }
}

/** How a connection ended, as an error. `closeReason` is null when it never came to be. */
export class ConnectionError extends DriverError {
  override readonly name: string = 'ConnectionError'
  readonly closeReason: CloseReason | null

  constructor(code: DriverErrorCode, message: string, closeReason: CloseReason | null, cause?: unknown) {
    super(code, message, cause)
    this.closeReason = closeReason
  }
}

/** Nobody answered, or the handshake took too long. */
export class ConnectTimeoutError extends ConnectionError {
  override readonly name = 'ConnectTimeoutError'
}

/** The TLS handshake failed. */
export class HandshakeError extends ConnectionError {
  override readonly name = 'HandshakeError'
  /** The TLS alert (RFC 9846 §6), or null. */
  readonly alert: number | null
  /** Which certificate check failed here (`expired`, `name-mismatch`, `self-signed`, `unknown-issuer`, …), or null. */
  readonly certificateCheck: string | null

  constructor(code: DriverErrorCode, message: string, closeReason: CloseReason, alert: number | null, certificateCheck: string | null) {
    super(code, message, closeReason, closeReason.error ?? undefined)
    this.alert = alert
    this.certificateCheck = certificateCheck
  }
}

export class IdleTimeoutError extends ConnectionError {
  override readonly name = 'IdleTimeoutError'
}

/** The peer sent CONNECTION_CLOSE; see `closeReason` for its code and words. */
export class PeerClosedError extends ConnectionError {
  override readonly name = 'PeerClosedError'
}

/** The peer broke the protocol and the connection was closed for it. */
export class ProtocolError extends ConnectionError {
  override readonly name = 'ProtocolError'
}

/** No request came within Http3Settings.postAcceptTimeout, and the connection was closed for it. */
export class PostAcceptTimeoutError extends ConnectionError {
  override readonly name = 'PostAcceptTimeoutError'

  constructor(closeReason: CloseReason) {
    super('QUIC_POST_ACCEPT_TIMEOUT', 'the client sent no request in time', closeReason)
  }
}
