// The numbers of RFC 9000, RFC 9221, RFC 9368 and the ACK frequency draft that go on the wire, and the limits this implementation sets on them.

/** QUIC version 1 (RFC 9000 §15). */
export const VERSION_1 = 1

/** QUIC version 2 (RFC 9369 §3.1). */
export const VERSION_2 = 0x6b3343cf

/** RFC 9000 §14.1: datagrams with Initial packets are at least this long, in bytes. */
export const MIN_INITIAL_DATAGRAM = 1200

/** RFC 9000 §17.2: longest connection ID of version 1, in bytes. */
export const MAX_CID_LENGTH = 20

/** RFC 9000 §16: largest varint on the wire, 2^62 − 1. */
export const MAX_WIRE_VARINT: bigint = 0x3fffffffffffffffn

/** RFC 9000 §4.6: no stream limit exceeds 2^60 (exactly representable as a number). */
export const MAX_STREAMS_LIMIT: number = 2 ** 60

/** RFC 9000 §10.3: length of a stateless reset token, in bytes. */
export const RESET_TOKEN_LENGTH = 16

/** Length of the AEAD tag of every cipher suite of RFC 9001 and of the Retry integrity tag, in bytes. */
export const TAG_LENGTH = 16

/** RFC 9000 §18.2: the largest UDP payload there is, in bytes. */
export const MAX_UDP_PAYLOAD = 65527

/** Kinds of packets (RFC 9000 §17). Small numbers of our own: v1 and v2 differ in the bits on the wire. */
export const PacketType = {
  initial: 0,
  zeroRtt: 1,
  handshake: 2,
  retry: 3,
  versionNegotiation: 4,
  oneRtt: 5,
} as const
export type PacketType = (typeof PacketType)[keyof typeof PacketType]

/** Frame types (RFC 9000 Table 3, RFC 9221 §4, draft-ietf-quic-reliable-stream-reset,
 * draft-ietf-quic-ack-frequency §4, §5). `stream` is the base of 0x08–0x0f. */
export const FrameType = {
  padding: 0x00,
  ping: 0x01,
  ack: 0x02,
  ackEcn: 0x03,
  resetStream: 0x04,
  stopSending: 0x05,
  crypto: 0x06,
  newToken: 0x07,
  stream: 0x08,
  streamMax: 0x0f,
  maxData: 0x10,
  maxStreamData: 0x11,
  maxStreamsBidi: 0x12,
  maxStreamsUni: 0x13,
  dataBlocked: 0x14,
  streamDataBlocked: 0x15,
  streamsBlockedBidi: 0x16,
  streamsBlockedUni: 0x17,
  newConnectionId: 0x18,
  retireConnectionId: 0x19,
  pathChallenge: 0x1a,
  pathResponse: 0x1b,
  connectionClose: 0x1c,
  connectionCloseApplication: 0x1d,
  handshakeDone: 0x1e,
  immediateAck: 0x1f,
  resetStreamAt: 0x24,
  datagram: 0x30,
  datagramWithLength: 0x31,
  ackFrequency: 0xaf,
} as const
export type FrameType = (typeof FrameType)[keyof typeof FrameType]

/** Transport error codes (RFC 9000 §20.1, RFC 9368 §8). `cryptoError` is the base to which a TLS alert is added. */
export const TransportErrorCode = {
  noError: 0x00,
  internalError: 0x01,
  connectionRefused: 0x02,
  flowControlError: 0x03,
  streamLimitError: 0x04,
  streamStateError: 0x05,
  finalSizeError: 0x06,
  frameEncodingError: 0x07,
  transportParameterError: 0x08,
  connectionIdLimitError: 0x09,
  protocolViolation: 0x0a,
  invalidToken: 0x0b,
  applicationError: 0x0c,
  cryptoBufferExceeded: 0x0d,
  keyUpdateError: 0x0e,
  aeadLimitReached: 0x0f,
  noViablePath: 0x10,
  versionNegotiationError: 0x11,
  cryptoError: 0x100,
} as const
export type TransportErrorCode = (typeof TransportErrorCode)[keyof typeof TransportErrorCode]

/** Encryption levels (RFC 9001 §2.1). */
export const EncryptionLevel = {
  initial: 0,
  earlyData: 1,
  handshake: 2,
  application: 3,
} as const
export type EncryptionLevel = (typeof EncryptionLevel)[keyof typeof EncryptionLevel]
