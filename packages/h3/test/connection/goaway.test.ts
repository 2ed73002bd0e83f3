import { describe, expect, it } from 'vitest'
import { MAX_GOAWAY_ID } from '../../src/index.ts'
import { GET, Lab, OK, frame, h3Pair, headersFrame, stateError } from '../h3-pair.ts'

describe('GOAWAY (RFC 9114 §5.2)', () => {
  it('from a server: what is under way ends, what comes later is rejected', () => {
    const { client, server, run } = h3Pair()
    const first = client.h3.sendRequest(GET, true)
    run()
    // One request crosses the GOAWAY.
    server.h3.sendGoaway()
    const late = client.h3.sendRequest(GET, true)
    run()
    expect(client.of('goaway')).toEqual([{ kind: 'goaway', id: 4 }])
    expect(server.story(late)).toEqual([])
    expect(client.of('reset')).toEqual([{ kind: 'reset', streamId: late, code: 0x10b, retryable: true }])
    expect(stateError(() => client.h3.sendRequest(GET, true))).toBe('H3_GOAWAY_RECEIVED')
    server.h3.sendHeaders(first, OK, { fin: true })
    run()
    expect(client.story(first)).toEqual(['headers', 'finished'])
  })
  it('in two steps, with the largest id first', () => {
    const { client, server, run } = h3Pair()
    const largest = MAX_GOAWAY_ID
    server.h3.sendGoaway(largest)
    run()
    expect(client.of('goaway')).toEqual([{ kind: 'goaway', id: largest }])
    server.h3.sendGoaway()
    server.h3.sendGoaway()
    run()
    expect(client.of('goaway').map((event) => event.id)).toEqual([largest, 0, 0])
    expect(stateError(() => server.h3.sendGoaway(8))).toBe('H3_INVALID_ID')
    expect(stateError(() => server.h3.sendGoaway(2))).toBe('H3_INVALID_ID')
  })
  it('from a client: push id 0', () => {
    const { client, server, run } = h3Pair()
    client.h3.sendGoaway()
    run()
    expect(server.of('goaway')).toEqual([{ kind: 'goaway', id: 0 }])
  })
  it('a client learns which of its requests it may send again (§5.2, §4.1.1)', () => {
    const { client, server, run } = h3Pair()
    const ids = [0, 1, 2, 3].map(() => client.h3.sendRequest([[':method', 'POST'], ...GET.slice(1)], false))
    // The server hears of the first two only: GOAWAY overtakes the others.
    server.h3.sendGoaway(8)
    server.transport.deliver(1 << 20, () => client.step())
    expect(client.of('goaway')).toEqual([{ kind: 'goaway', id: 8 }])
    expect(client.of('reset').map((event) => [event.streamId, event.code, event.retryable])).toEqual([[8, 0x10b, true], [12, 0x10b, true]])
    // They are cancelled, never rejected, by a client (§4.1.1).
    for (const id of ids.slice(2)) expect(client.transport.streams.get(id)!.resetCode).toBe(0x10c)
    expect(client.h3.openRequests()).toBe(2)
    run()
    server.h3.sendHeaders(0, OK, { fin: true })
    run()
    expect(client.story(0)).toEqual(['headers', 'finished'])
    // A lower id says the same of more (§5.2).
    expect(stateError(() => server.h3.sendGoaway(0))).toBe('H3_INVALID_ID')
  })
  it('H3_REQUEST_REJECTED is retryable, H3_REQUEST_CANCELLED and a rejection after an answer are not (§4.1.1)', () => {
    const cases = [['none', 0x10b, true], ['none', 0x10c, false], ['103', 0x10b, false], ['200', 0x10b, false]] as const
    for (const [answer, resetCode, retryable] of cases) {
      const lab = new Lab('client')
      const id = lab.request()
      if (answer !== 'none') lab.write(id, headersFrame([[':status', answer]]))
      lab.run()
      lab.raw.streamReset(id, resetCode)
      lab.run()
      expect(lab.subject.of('reset')).toEqual([{ kind: 'reset', streamId: id, code: resetCode, retryable }])
    }
  })
  it('a request that was answered is not called unprocessed by a GOAWAY below it (§4.1.1)', () => {
    for (const [answer, retryable] of [['none', true], ['103', false], ['200', false]] as const) {
      const lab = new Lab('client')
      const id = lab.request()
      if (answer !== 'none') lab.write(id, headersFrame([[':status', answer]]))
      lab.run()
      lab.write(lab.control, frame(0x7, [0]))
      lab.run()
      expect(lab.subject.of('reset')).toEqual([{ kind: 'reset', streamId: id, code: 0x10b, retryable }])
      expect(lab.subject.h3.openRequests()).toBe(0)
    }
  })
  it('from a server: cancels what it refuses and has not handed over (§5.2)', () => {
    const lab = new Lab('server')
    const whole = lab.request()
    lab.write(whole, headersFrame(GET), true)
    const begun = lab.request()
    lab.write(begun, headersFrame(GET).slice(0, 3))
    lab.run()
    // Request 0 has been handed over: it cannot be called unprocessed any more.
    expect(stateError(() => lab.subject.h3.sendGoaway(0))).toBe('H3_INVALID_ID')
    lab.subject.h3.sendGoaway(4)
    lab.run()
    expect(lab.raw.streams.get(begun)!.inReset).toBe(0x10b)
    expect(lab.raw.streams.get(begun)!.stopCode).toBe(0x10b)
    expect(lab.subject.h3.sendHeaders(whole, OK, { fin: true })).toBe(true)
    lab.run()
    expect(lab.subject.h3.openRequests()).toBe(0)
  })
  it('from a client: push ids that do not go up (§5.2)', () => {
    const { client, server, run } = h3Pair()
    client.h3.sendGoaway(2n ** 62n - 1n)
    client.h3.sendGoaway(7)
    run()
    expect(server.of('goaway').map((event) => event.id)).toEqual([2n ** 62n - 1n, 7])
    expect(stateError(() => client.h3.sendGoaway(8))).toBe('H3_INVALID_ID')
  })
})
