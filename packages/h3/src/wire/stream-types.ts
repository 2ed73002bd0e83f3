/** Unidirectional stream types (RFC 9114 §6.2, RFC 9204 §4.2). */
export const StreamType = {
  control: 0x0,
  push: 0x1,
  qpackEncoder: 0x2,
  qpackDecoder: 0x3,
} as const

/** RFC 9000 §2.1: the two low bits of a stream id. */
export function isUnidirectional(streamId: number): boolean {
  return streamId % 4 >= 2
}

export function isClientInitiated(streamId: number): boolean {
  return streamId % 2 === 0
}

/** A request stream: bidirectional, opened by the client. */
export function isRequestStream(streamId: number): boolean {
  return streamId % 4 === 0
}
