// The two error classes of this room that are not a plain alert.

import { FrameType } from '../wire/constants.ts'
import { TransportError } from '../wire/transport-error.ts'
import { Alert, alertCode } from './alerts.ts'

/** What was wrong with the peer's certificate chain. */
export type CertificateCheck =
  | 'malformed'
  | 'expired'
  | 'not-yet-valid'
  | 'name-mismatch'
  | 'self-signed'
  | 'unknown-issuer'
  | 'invalid-authority'
  | 'path-too-long'
  | 'name-constraints'
  | 'wrong-usage'
  | 'bad-signature'
  | 'unsupported-algorithm'
  | 'unsupported-extension'
  | 'weak-key'
  | 'weak-signature'
  | 'pin-mismatch'
  | 'validity-too-long'
  | 'refused'

const ALERTS: Readonly<Record<CertificateCheck, Alert>> = {
  malformed: Alert.badCertificate,
  expired: Alert.certificateExpired,
  'not-yet-valid': Alert.certificateExpired,
  'name-mismatch': Alert.badCertificate,
  'self-signed': Alert.unknownCa,
  'unknown-issuer': Alert.unknownCa,
  'invalid-authority': Alert.unknownCa,
  'path-too-long': Alert.unknownCa,
  'name-constraints': Alert.badCertificate,
  'wrong-usage': Alert.unsupportedCertificate,
  'bad-signature': Alert.badCertificate,
  'unsupported-algorithm': Alert.unsupportedCertificate,
  'unsupported-extension': Alert.unsupportedCertificate,
  'weak-key': Alert.unsupportedCertificate,
  'weak-signature': Alert.badCertificate,
  'pin-mismatch': Alert.certificateUnknown,
  'validity-too-long': Alert.certificateUnknown,
  refused: Alert.certificateUnknown,
}

/** The peer's certificate was refused; `check` names the one check that failed. */
export class CertificateError extends TransportError {
  readonly check: CertificateCheck

  constructor(check: CertificateCheck, reason: string) {
    super(alertCode(ALERTS[check]), FrameType.crypto, reason)
    this.name = 'CertificateError'
    this.check = check
  }
}

/** The TLS engine was configured or called wrongly by its owner; never caused by the peer. */
export class TlsUsageError extends Error {
  readonly code: 'ERR_TLS_USAGE'

  constructor(message: string) {
    super(message)
    this.name = 'TlsUsageError'
    this.code = 'ERR_TLS_USAGE'
  }
}
