// Stream identifiers (RFC 9000 §2.1): bit 0 is the initiator, bit 1 the direction, the rest the index within the type.
// Numbers up to 2^53-1, so no bit operators beyond the two low bits.

export type Role = 'client' | 'server'

/** RFC 9000 §4.6: no more streams of a type than this can be named. */
export const MAX_STREAM_COUNT: number = 2 ** 60

export function isClientInitiated(streamId: number): boolean {
  return streamId % 2 === 0
}

export function isBidirectional(streamId: number): boolean {
  return streamId % 4 < 2
}

/** Position among the streams of its type. */
export function indexOf(streamId: number): number {
  return Math.floor(streamId / 4)
}

export function streamIdOf(index: number, initiator: Role, bidirectional: boolean): number {
  return index * 4 + (bidirectional ? 0 : 2) + (initiator === 'client' ? 0 : 1)
}

export function isInitiatedBy(streamId: number, role: Role): boolean {
  return isClientInitiated(streamId) === (role === 'client')
}
