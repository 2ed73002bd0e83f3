// From what the system or the engine says to the errors of errors.ts.

import type { CloseReason } from '@quicwire/quic'
import { ConnectionError, ConnectTimeoutError, HandshakeError, IdleTimeoutError, PeerClosedError, ProtocolError, SocketError } from './errors.ts'

export function socketErrorFrom(error: unknown, address: string, port: number): SocketError {
  const cause = error as NodeJS.ErrnoException
  const where = `${address.includes(':') ? `[${address}]` : address}:${port}`
  switch (cause.code) {
    case 'EADDRINUSE':
      return new SocketError('QUIC_PORT_IN_USE', `UDP port ${where} is already in use`, error)
    case 'EADDRNOTAVAIL':
      return new SocketError('QUIC_ADDRESS_NOT_AVAILABLE', `this machine has no address ${address}`, error)
    case 'EACCES':
    case 'EPERM':
      return new SocketError('QUIC_PERMISSION_DENIED', `not allowed to open UDP port ${where}`, error)
    default:
      return new SocketError('QUIC_SOCKET_FAILED', `UDP socket ${where}: ${cause.message}`, error)
  }
}

const CRYPTO_ERROR_FIRST = 0x100
const CRYPTO_ERROR_LAST = 0x1ff
const CONNECTION_REFUSED = 0x02

function words(reason: CloseReason): string {
  const code = `${reason.application ? 'application' : 'transport'} code 0x${reason.code.toString(16)}`
  return reason.reason === '' ? code : `${code}: ${reason.reason}`
}

function handshakeFailure(reason: CloseReason): ConnectionError {
  const code = Number(reason.code)
  const by = reason.cause === 'peer' ? 'the peer' : 'this side'
  if (!reason.application && code >= CRYPTO_ERROR_FIRST && code <= CRYPTO_ERROR_LAST) {
    const check = (reason.error as { check?: string } | null)?.check ?? null
    const alert = code - CRYPTO_ERROR_FIRST
    if (check !== null) {
      return new HandshakeError('QUIC_CERTIFICATE_REFUSED', `certificate refused (${check}): ${reason.reason}`, reason, alert, check)
    }
    const text = reason.reason === '' ? '' : `: ${reason.reason}`
    return new HandshakeError('QUIC_HANDSHAKE_FAILED', `TLS handshake failed, alert ${alert} from ${by}${text}`, reason, alert, null)
  }
  if (!reason.application && code === CONNECTION_REFUSED && reason.cause === 'peer') {
    return new ConnectionError('QUIC_CONNECTION_REFUSED', `the peer refused the connection: ${words(reason)}`, reason)
  }
  return new HandshakeError('QUIC_HANDSHAKE_FAILED', `handshake ended by ${by}, ${words(reason)}`, reason, null, null)
}

/** The error form of a close reason. `heard`: whether the peer ever answered. Null for an orderly local close. */
export function errorFromReason(reason: CloseReason, established: boolean, heard: boolean): ConnectionError | null {
  switch (reason.cause) {
    case 'idle-timeout':
    case 'handshake-timeout':
      if (established) return new IdleTimeoutError('QUIC_IDLE_TIMEOUT', 'the connection was idle for too long', reason)
      return heard
        ? new ConnectTimeoutError('QUIC_HANDSHAKE_TIMEOUT', 'the handshake took too long', reason)
        : new ConnectTimeoutError('QUIC_CONNECT_TIMEOUT', 'no answer from the peer', reason)
    case 'stateless-reset':
      return new ConnectionError('QUIC_STATELESS_RESET', 'the peer has lost the connection (stateless reset)', reason)
    case 'version-negotiation':
      return new ConnectionError('QUIC_VERSION_NEGOTIATION_FAILED', `no common QUIC version: ${reason.reason}`, reason)
    case 'peer':
      if (!established) return handshakeFailure(reason)
      return new PeerClosedError('QUIC_PEER_CLOSED', `closed by the peer, ${words(reason)}`, reason)
    case 'local':
      if (!established && reason.error !== null) return handshakeFailure(reason)
      if (reason.error !== null) return new ProtocolError('QUIC_PROTOCOL_ERROR', `protocol error, ${words(reason)}`, reason, reason.error)
      return null
  }
}
