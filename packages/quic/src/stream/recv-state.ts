// The receiving part of a stream, RFC 9000 §3.2, as a table of (state, event).
//
//   recv -- FIN --> sizeKnown -- all data --> dataRecvd -- read --> dataRead
//     '-- RESET_STREAM --'------------> resetRecvd -- told --> resetRead
//
// RESET_STREAM_AT counts as FIN does (draft-ietf-quic-reliable-stream-reset §5.3): "all data" is then what its Reliable Size covers.
//
// The two optional arrows between dataRecvd and resetRecvd are not taken: complete data is delivered although a RESET_STREAM
// follows, and data that follows a RESET_STREAM is discarded.

export const RecvState = { recv: 0, sizeKnown: 1, dataRecvd: 2, resetRecvd: 3, dataRead: 4, resetRead: 5 } as const
export type RecvState = (typeof RecvState)[keyof typeof RecvState]

export const RecvEvent = { stream: 0, fin: 1, allData: 2, reset: 3, dataRead: 4, resetRead: 5 } as const
export type RecvEvent = (typeof RecvEvent)[keyof typeof RecvEvent]

/** The event has no meaning in this state and changes nothing. */
export const NO_TRANSITION = -1

const N = NO_TRANSITION
const { recv, sizeKnown, dataRecvd, resetRecvd, dataRead, resetRead } = RecvState

//            stream     fin        allData    reset       dataRead  resetRead
const TABLE: readonly number[] = [
  /* recv */ recv, sizeKnown, N, resetRecvd, N, N,
  /* sizeKnown */ sizeKnown, sizeKnown, dataRecvd, resetRecvd, N, N,
  /* dataRecvd */ dataRecvd, dataRecvd, N, dataRecvd, dataRead, N,
  /* resetRecvd */ resetRecvd, resetRecvd, N, resetRecvd, N, resetRead,
  /* dataRead */ dataRead, dataRead, N, dataRead, N, N,
  /* resetRead */ resetRead, resetRead, N, resetRead, N, N,
]

/** The next state, or NO_TRANSITION. */
export function nextRecvState(state: RecvState, event: RecvEvent): RecvState | typeof NO_TRANSITION {
  return TABLE[state * 6 + event] as RecvState | typeof NO_TRANSITION
}

export function isTerminalRecvState(state: RecvState): boolean {
  return state >= dataRead
}
