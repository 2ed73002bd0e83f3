import { describe, expect, it } from 'vitest'
import { isTerminalRecvState, nextRecvState, RecvEvent, RecvState } from '../../src/stream/recv-state.ts'
import { isTerminalSendState, nextSendState, SendEvent, SendState } from '../../src/stream/send-state.ts'
import { indexOf, isBidirectional, isClientInitiated, isInitiatedBy, streamIdOf } from '../../src/stream/stream-id.ts'

function table<S extends number, E extends number>(
  states: Record<string, S>,
  events: Record<string, E>,
  next: (state: S, event: E) => number,
): Record<string, string> {
  const names = Object.fromEntries(Object.entries(states).map(([name, value]) => [value, name]))
  const rows: Record<string, string> = {}
  for (const [state, s] of Object.entries(states)) {
    const row = Object.entries(events).map(([event, e]) => {
      const to = next(s, e)
      return `${event}:${to < 0 ? '-' : names[to]}`
    })
    rows[state] = row.join(' ')
  }
  return rows
}

describe('stream states', () => {
  it('sending part: every (state, event) pair of RFC 9000 §3.1', () => {
    expect(table(SendState, SendEvent, nextSendState)).toEqual({
      ready: 'stream:send fin:dataSent reset:resetSent allAcked:- resetAcked:-',
      send: 'stream:send fin:dataSent reset:resetSent allAcked:- resetAcked:-',
      dataSent: 'stream:dataSent fin:dataSent reset:resetSent allAcked:dataRecvd resetAcked:-',
      resetSent: 'stream:- fin:- reset:- allAcked:- resetAcked:resetRecvd',
      dataRecvd: 'stream:- fin:- reset:- allAcked:- resetAcked:-',
      resetRecvd: 'stream:- fin:- reset:- allAcked:- resetAcked:-',
    })
    const terminal = Object.entries(SendState).filter(([, state]) => isTerminalSendState(state))
    expect(terminal.map(([name]) => name)).toEqual(['dataRecvd', 'resetRecvd'])
  })

  it('receiving part: every (state, event) pair of RFC 9000 §3.2', () => {
    expect(table(RecvState, RecvEvent, nextRecvState)).toEqual({
      recv: 'stream:recv fin:sizeKnown allData:- reset:resetRecvd dataRead:- resetRead:-',
      sizeKnown: 'stream:sizeKnown fin:sizeKnown allData:dataRecvd reset:resetRecvd dataRead:- resetRead:-',
      dataRecvd: 'stream:dataRecvd fin:dataRecvd allData:- reset:dataRecvd dataRead:dataRead resetRead:-',
      resetRecvd: 'stream:resetRecvd fin:resetRecvd allData:- reset:resetRecvd dataRead:- resetRead:resetRead',
      dataRead: 'stream:dataRead fin:dataRead allData:- reset:dataRead dataRead:- resetRead:-',
      resetRead: 'stream:resetRead fin:resetRead allData:- reset:resetRead dataRead:- resetRead:-',
    })
    const terminal = Object.entries(RecvState).filter(([, state]) => isTerminalRecvState(state))
    expect(terminal.map(([name]) => name)).toEqual(['dataRead', 'resetRead'])
  })

  it('stream identifiers (RFC 9000 Table 1)', () => {
    expect([0, 1, 2, 3, 4, 7].map((id) => [isClientInitiated(id), isBidirectional(id), indexOf(id)])).toEqual([
      [true, true, 0],
      [false, true, 0],
      [true, false, 0],
      [false, false, 0],
      [true, true, 1],
      [false, false, 1],
    ])
    for (const index of [0, 1, 1000, 2 ** 40]) {
      for (const role of ['client', 'server'] as const) {
        for (const bidirectional of [true, false]) {
          const id = streamIdOf(index, role, bidirectional)
          expect([indexOf(id), isInitiatedBy(id, role), isBidirectional(id)]).toEqual([index, true, bidirectional])
        }
      }
    }
  })
})
