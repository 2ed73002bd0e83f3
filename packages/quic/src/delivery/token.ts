// Delivery tokens: what a sent packet said, as four numbers (kind, a, b, c), kept by the sent record and handed back to the owner
// when the packet is acknowledged or lost. Recovery stores them and never looks inside. Meaning of a, b, c by kind:
//   crypto (offset, length, 0)            stream (stream id, offset, length * 2 + fin)   resetStream, stopSending (stream id, 0, 0)
//   resetStreamAt (stream id, reliable size, 0)
//   maxData, dataBlocked (limit, 0, 0)    maxStreamData, streamDataBlocked (stream id, limit, 0)
//   maxStreams, streamsBlocked (1 bidirectional | 0, limit, 0)    newConnectionId, retireConnectionId (sequence, 0, 0)
//   datagram (length, serial number or 0, 0)               ackFrequency (sequence, requested delay in microseconds, 0)
//   the rest belongs to the connection

export const TokenKind = {
  ack: 1,
  ping: 2,
  crypto: 3,
  stream: 4,
  resetStream: 5,
  stopSending: 6,
  maxData: 7,
  maxStreamData: 8,
  maxStreams: 9,
  dataBlocked: 10,
  streamDataBlocked: 11,
  streamsBlocked: 12,
  newConnectionId: 13,
  retireConnectionId: 14,
  handshakeDone: 15,
  newToken: 16,
  pathChallenge: 17,
  pathResponse: 18,
  datagram: 19,
  resetStreamAt: 20,
  ackFrequency: 21,
  immediateAck: 22,
} as const

export type TokenKind = (typeof TokenKind)[keyof typeof TokenKind]

/** Length and FIN of a STREAM frame in one token slot. */
export function packLengthAndFin(length: number, fin: boolean): number {
  return length * 2 + (fin ? 1 : 0)
}

export function lengthOfToken(packed: number): number {
  return Math.floor(packed / 2)
}

export function finOfToken(packed: number): boolean {
  return packed % 2 === 1
}
