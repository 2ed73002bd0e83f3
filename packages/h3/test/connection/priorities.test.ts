import { describe, expect, it } from 'vitest'
import type { Header } from '../../src/index.ts'
import { GET, Lab, OK, ascii, frame, h3Pair, headersFrame, varint } from '../h3-pair.ts'

describe('priorities (RFC 9218)', () => {
  it('a client tells the server, also before the request is there', () => {
    const lab = new Lab('server')
    lab.write(lab.control, frame(0xf0700, [0, ...[...'u=1, i'].map((c) => c.charCodeAt(0))]))
    lab.run()
    expect(lab.subject.of('priority-update')).toEqual([{ kind: 'priority-update', streamId: 0, value: 'u=1, i' }])
    expect(lab.subject.h3.priorityUpdate(0)).toBe('u=1, i')
    const id = lab.request()
    lab.write(id, headersFrame(GET), true)
    lab.run()
    lab.write(lab.control, frame(0xf0700, [0]))
    lab.run()
    expect(lab.subject.h3.priorityUpdate(0)).toBe('')
    lab.subject.h3.sendHeaders(id, OK, { fin: true })
    lab.run()
    // Over: nothing is kept, nothing is reported.
    expect(lab.subject.h3.priorityUpdate(0)).toBeNull()
    lab.write(lab.control, frame(0xf0700, [0]))
    lab.run()
    expect(lab.subject.of('priority-update').length).toBe(2)
  })
  it('setPriority orders the transport and sends PRIORITY_UPDATE', () => {
    const { client, server, run } = h3Pair()
    const id = client.h3.sendRequest(GET, false)
    run()
    expect(client.transport.streams.get(id)!.priority).toBe(127)
    client.h3.setPriority(id, 0, true)
    client.h3.setPriority(id, 3, false)
    client.h3.setPriority(id, 99, false)
    server.h3.setPriority(id, 5, false)
    run()
    expect(client.transport.streams.get(id)!.priority).toBe(131)
    expect(server.transport.streams.get(id)!.priority).toBe(129)
    expect(server.of('priority-update').map((event) => event.value)).toEqual(['u=0, i', '', 'u=7'])
  })
  it('keeps a bounded number of values for requests that never come', () => {
    const lab = new Lab('server')
    lab.raw.limits.bidi = 2000
    lab.write(lab.control, Array.from({ length: 2000 }, (_, i) => frame(0xf0700, [...varint(i * 4), 0x69])).flat())
    lab.run()
    expect(lab.outcome()).toBe('ok')
    let kept = 0
    for (let i = 0; i < 2000; i++) if (lab.subject.h3.priorityUpdate(i * 4) !== null) kept++
    expect(kept).toBeLessThanOrEqual(256)
  })
  const update = (id: number, value: string): number[] => frame(0xf0700, [...varint(id), ...ascii(value)])
  const priorityOf = (lab: Lab, id: number): unknown[] => {
    const stream = lab.subject.transport.streams.get(id)!
    return [stream.priority - 124, stream.incremental]
  }
  const get = (...values: string[]): Header[] => [...GET, ...values.map((value): Header => ['priority', value])]

  it.each<[string, string[], [number, boolean]]>([
    ['no field', [], [3, false]],
    ['u=0', ['u=0'], [0, false]],
    ['both', ['u=5, i'], [5, true]],
    ['two lines are one value (RFC 9110 §5.3)', ['u=6', 'i'], [6, true]],
    ['out of range (§4)', ['u=8, i'], [3, true]],
    ['an unexpected type (§4)', ['u=1.0, i=1'], [3, false]],
    ['unknown parameters and members (§4)', ['u=2;x="y", foo=(1 2);q, i;z=?0'], [2, true]],
    ['what does not parse is ignored', ['u=1, i,'], [3, false]],
  ])('a server reads the priority field: %s', (_, values, expected) => {
    const lab = new Lab('server')
    const id = lab.request()
    lab.write(id, headersFrame(get(...values)), true)
    lab.run()
    expect(priorityOf(lab, id)).toEqual(expected)
  })
  it('PRIORITY_UPDATE reprioritises in flight, and says everything anew (§7)', () => {
    const lab = new Lab('server')
    const id = lab.request()
    lab.write(id, headersFrame(get('u=1, i')), true)
    lab.run()
    expect(priorityOf(lab, id)).toEqual([1, true])
    const updates = [['u=6', [6, false]], ['i', [3, true]], ['', [3, false]], ['u=0, i', [0, true]], ['u=', [3, false]]] as const
    for (const [value, expected] of updates) {
      lab.write(lab.control, update(id, value))
      lab.run()
      expect([value, priorityOf(lab, id)]).toEqual([value, expected])
    }
  })
  it('also what has been given to the transport whole and not been sent yet', () => {
    const lab = new Lab('server')
    const id = lab.request()
    lab.write(id, headersFrame(get('u=5')), true)
    lab.run()
    lab.subject.h3.sendHeaders(id, OK, { fin: false })
    lab.subject.h3.sendBody(id, new Uint8Array(1000), true)
    expect(lab.subject.h3.openRequests()).toBe(0)
    // The response is on its way while the client changes its mind; the frame is handed in before the response is delivered.
    lab.write(lab.control, update(id, 'u=1, i'))
    lab.raw.deliver(1 << 20, () => lab.subject.step())
    expect(priorityOf(lab, id)).toEqual([1, true])
    expect(lab.subject.of('priority-update').map((event) => event.value)).toEqual(['u=1, i'])
    lab.subject.h3.setPriority(id, 6, false)
    expect(priorityOf(lab, id)).toEqual([6, false])
    lab.run()
    // Sent and closed: an update means nothing any more.
    lab.write(lab.control, update(id, 'u=7'))
    lab.run()
    lab.subject.h3.setPriority(id, 0, false)
    expect(priorityOf(lab, id)).toEqual([6, false])
    expect(lab.subject.of('priority-update').length).toBe(1)
  })
  it('an update that came before the request goes before its field (§7)', () => {
    for (const whole of [true, false]) {
      const lab = new Lab('server')
      if (!whole) {
        lab.write(lab.request(), headersFrame(get('u=1')).slice(0, 4))
        lab.run()
      }
      lab.write(lab.control, update(0, 'u=7, i'))
      lab.run()
      lab.write(whole ? lab.request() : 0, headersFrame(get('u=1')).slice(whole ? 0 : 4), true)
      lab.run()
      expect(lab.subject.story(0)).toContain('headers')
      expect(priorityOf(lab, 0)).toEqual([7, true])
      expect(lab.subject.h3.priorityUpdate(0)).toBe('u=7, i')
    }
  })
  it('a response merges what the server prefers, parameter by parameter (§8)', () => {
    const lab = new Lab('server')
    const id = lab.request()
    lab.write(id, headersFrame(get('u=5, i')), true)
    lab.run()
    lab.subject.h3.sendHeaders(id, [[':status', '103'], ['priority', 'u=7']], { fin: false, informational: true })
    expect(priorityOf(lab, id)).toEqual([5, true])
    lab.subject.h3.sendHeaders(id, [...OK, ['priority', 'u=1']], { fin: false })
    expect(priorityOf(lab, id)).toEqual([1, true])
    // The client goes on to decide what the server says nothing of.
    lab.write(lab.control, update(id, 'u=6'))
    lab.run()
    expect(priorityOf(lab, id)).toEqual([1, false])
    lab.subject.h3.setPriority(id, 2, true)
    expect(priorityOf(lab, id)).toEqual([2, true])
  })
  it("a client's field orders its own sending too (§9)", () => {
    const { client, run } = h3Pair()
    const id = client.h3.sendRequest([...GET, ['priority', 'u=0, i']], false)
    run()
    expect(client.transport.streams.get(id)).toMatchObject({ priority: 124, incremental: true })
  })
  it('an update for a request that is open counts, however many wait for theirs', () => {
    const lab = new Lab('server')
    lab.raw.limits.bidi = 1000
    const id = lab.request()
    lab.write(id, headersFrame(GET), true)
    lab.run()
    lab.write(lab.control, Array.from({ length: 400 }, (_, i) => update(4 + i * 4, 'i')).flat())
    lab.write(lab.control, update(id, 'u=0'))
    lab.run()
    expect(priorityOf(lab, id)).toEqual([0, false])
  })
  it('an update beyond the stream limit is H3_ID_ERROR (§7.2)', () => {
    for (const [id, outcome] of [[396, 'ok'], [400, 'connection 0x108']] as const) {
      const lab = new Lab('server')
      lab.write(lab.control, update(id, 'u=0'))
      lab.run()
      expect(lab.outcome()).toBe(outcome)
    }
  })
  it('a value that is too long is not read (H3_EXCESSIVE_LOAD)', () => {
    const lab = new Lab('server')
    lab.write(lab.control, [...varint(0xf0700), ...varint(5000)])
    lab.run()
    expect(lab.outcome()).toBe('connection 0x107')
  })
})
