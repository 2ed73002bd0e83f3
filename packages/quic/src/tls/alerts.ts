// TLS alerts as QUIC connection errors: 0x0100 + AlertDescription, in a CONNECTION_CLOSE of type 0x1c. RFC 9001 §4.8, RFC 9846 §6.

import { FrameType, TransportErrorCode } from '../wire/constants.ts'
import { TransportError } from '../wire/transport-error.ts'

export const Alert = {
  unexpectedMessage: 10,
  handshakeFailure: 40,
  badCertificate: 42,
  unsupportedCertificate: 43,
  certificateExpired: 45,
  certificateUnknown: 46,
  illegalParameter: 47,
  unknownCa: 48,
  decodeError: 50,
  decryptError: 51,
  protocolVersion: 70,
  internalError: 80,
  missingExtension: 109,
  unsupportedExtension: 110,
  unrecognizedName: 112,
  certificateRequired: 116,
  noApplicationProtocol: 120,
} as const

export type Alert = (typeof Alert)[keyof typeof Alert]

/** The wire code of an alert in a CONNECTION_CLOSE frame. */
export function alertCode(description: Alert): number {
  return TransportErrorCode.cryptoError + description
}

/** The error to throw for an alert; the connection closes with it. */
export function alert(description: Alert, reason: string): TransportError {
  return new TransportError(alertCode(description), FrameType.crypto, reason)
}

/** RFC 9001 puts a few handshake faults outside TLS: §4.1.3, §4.4, §8.3, §8.4. */
export function protocolViolation(reason: string): TransportError {
  return new TransportError(TransportErrorCode.protocolViolation, FrameType.crypto, reason)
}
