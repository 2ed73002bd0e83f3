// The sending part of a stream, RFC 9000 §3.1, as a table of (state, event).
//
//   ready -- STREAM --> send -- FIN --> dataSent -- all acknowledged --> dataRecvd
//     '-------- RESET_STREAM ------'------'------> resetSent -- acknowledged --> resetRecvd
//
// RESET_STREAM_AT counts as FIN does (draft-ietf-quic-reliable-stream-reset §5.3): "all acknowledged" is then the frame itself and the
// bytes up to the Reliable Size.
//
// "Send RESET_STREAM" happens when the reset is decided, not when the frame leaves: the final size is fixed then.

export const SendState = { ready: 0, send: 1, dataSent: 2, resetSent: 3, dataRecvd: 4, resetRecvd: 5 } as const
export type SendState = (typeof SendState)[keyof typeof SendState]

export const SendEvent = { stream: 0, fin: 1, reset: 2, allAcked: 3, resetAcked: 4 } as const
export type SendEvent = (typeof SendEvent)[keyof typeof SendEvent]

/** The event has no meaning in this state and changes nothing. */
export const NO_TRANSITION = -1

const N = NO_TRANSITION
const { send, dataSent, resetSent, dataRecvd, resetRecvd } = SendState

//           stream  fin       reset      allAcked   resetAcked
const TABLE: readonly number[] = [
  /* ready */ send, dataSent, resetSent, N, N,
  /* send */ send, dataSent, resetSent, N, N,
  /* dataSent */ dataSent, dataSent, resetSent, dataRecvd, N,
  /* resetSent */ N, N, N, N, resetRecvd,
  /* dataRecvd */ N, N, N, N, N,
  /* resetRecvd */ N, N, N, N, N,
]

/** The next state, or NO_TRANSITION. */
export function nextSendState(state: SendState, event: SendEvent): SendState | typeof NO_TRANSITION {
  return TABLE[state * 5 + event] as SendState | typeof NO_TRANSITION
}

export function isTerminalSendState(state: SendState): boolean {
  return state >= dataRecvd
}
