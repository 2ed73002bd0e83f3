// From an error to one line for the user and an exit code. Errors are told apart by their stable `code`.

import { CommandError, ExitCode } from './exit-code.ts'

const byCode: Readonly<Record<string, ExitCode>> = {
  QUIC_PORT_IN_USE: ExitCode.local,
  QUIC_ADDRESS_NOT_AVAILABLE: ExitCode.local,
  QUIC_PERMISSION_DENIED: ExitCode.local,
  QUIC_SOCKET_FAILED: ExitCode.local,
  QUIC_INVALID_OPTION: ExitCode.local,
  QUICWIRE_BAD_CERTIFICATE_FILE: ExitCode.local,
  QUICWIRE_INVALID_URL: ExitCode.usage,
  QUIC_NAME_NOT_FOUND: ExitCode.unreachable,
  QUIC_CONNECT_TIMEOUT: ExitCode.unreachable,
  QUIC_CONNECTION_REFUSED: ExitCode.unreachable,
  QUIC_HANDSHAKE_TIMEOUT: ExitCode.unreachable,
  QUIC_IDLE_TIMEOUT: ExitCode.unreachable,
  QUICWIRE_TIMEOUT: ExitCode.unreachable,
  QUIC_HANDSHAKE_FAILED: ExitCode.tls,
  QUIC_CERTIFICATE_REFUSED: ExitCode.tls,
  QUIC_VERSION_NEGOTIATION_FAILED: ExitCode.protocol,
  QUIC_PEER_CLOSED: ExitCode.protocol,
  QUIC_CLOSED: ExitCode.protocol,
  QUIC_PROTOCOL_ERROR: ExitCode.protocol,
  QUIC_STATELESS_RESET: ExitCode.protocol,
  QUICWIRE_RESPONSE_FAILED: ExitCode.protocol,
}

export interface ErrorReport {
  readonly exitCode: ExitCode
  readonly message: string
}

export function reportError(error: unknown): ErrorReport {
  if (error instanceof CommandError) return { exitCode: error.exitCode, message: error.message }
  if (!(error instanceof Error)) return { exitCode: ExitCode.local, message: String(error) }
  const { code, alert } = error as { code?: unknown; alert?: unknown }
  let exitCode: ExitCode = typeof code === 'string' && Object.hasOwn(byCode, code) ? byCode[code]! : ExitCode.local
  // A handshake that ended without a TLS alert broke QUIC, not TLS.
  if (code === 'QUIC_HANDSHAKE_FAILED' && alert === null) exitCode = ExitCode.protocol
  return { exitCode, message: error.message.split('\n')[0]! }
}
