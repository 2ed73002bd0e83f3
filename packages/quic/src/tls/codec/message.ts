// Handshake messages by number and as they travel between the reader and the states. RFC 9846 §4.

export const HandshakeType = {
  clientHello: 1,
  serverHello: 2,
  newSessionTicket: 4,
  endOfEarlyData: 5,
  encryptedExtensions: 8,
  certificate: 11,
  certificateRequest: 13,
  certificateVerify: 15,
  finished: 20,
  keyUpdate: 24,
  compressedCertificate: 25,
  messageHash: 254,
} as const

const NAMES: Readonly<Record<number, string>> = {
  1: 'ClientHello',
  2: 'ServerHello',
  4: 'NewSessionTicket',
  5: 'EndOfEarlyData',
  8: 'EncryptedExtensions',
  11: 'Certificate',
  13: 'CertificateRequest',
  15: 'CertificateVerify',
  20: 'Finished',
  24: 'KeyUpdate',
  25: 'CompressedCertificate',
}

export function handshakeName(type: number): string {
  return NAMES[type] ?? `handshake message ${type}`
}

/** Length of the type and length that precede every message body. */
export const MESSAGE_HEADER = 4

/** One complete message. `bytes` is its own memory, header included; `body` is a view into it. */
export interface HandshakeMessage {
  readonly type: number
  readonly body: Uint8Array
  readonly bytes: Uint8Array
}
