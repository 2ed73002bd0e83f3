import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_HELD_DATAGRAMS } from '../../src/datagram/http-datagrams.ts'
import { H3StateError } from '../../src/index.ts'
import type { H3Event, Header } from '../../src/index.ts'
import { GET, Lab, OK, ascii, dataFrame, frame, headersFrame, varint } from '../h3-pair.ts'

// A peer that does anything, at any time, in any pieces: nothing is thrown, nothing hangs, and the events keep their promises.

const CONNECT_UDP: readonly Header[] = [[':method', 'CONNECT'], ...GET.slice(1), [':protocol', 'connect-udp'], ['capsule-protocol', '?1']]

const wellFormed = fc.constantFrom(
  headersFrame(GET),
  headersFrame([[':method', 'POST'], ...GET.slice(1), ['content-length', '6'], ['priority', 'u=1, i']]),
  headersFrame(CONNECT_UDP),
  headersFrame(OK),
  headersFrame([[':status', '103']]),
  headersFrame([[':status', '204']]),
  headersFrame([['x-trailer', 'y']]),
  headersFrame([...GET, ['x', 'z'.repeat(3000)]]),
  dataFrame('abc'),
  dataFrame(''),
  frame(0x21, [1, 2, 3]),
  frame(0x3, [0]),
  frame(0x4, [6, 100]),
  frame(0x5, [0, 0, 0]),
  frame(0x7, [0]),
  frame(0x7, [8]),
  frame(0xc, [0, 9, ...ascii('https://a')]),
  frame(0xd, [3]),
  frame(0xf0700, [0, ...ascii('u=0')]),
  frame(0xf0700, [4, ...ascii('i')]),
  frame(0xf0701, [0]),
)
/** A frame as it should be, or with one byte changed, dropped or doubled, or noise. */
const bytes = fc.oneof(
  { weight: 6, arbitrary: wellFormed },
  {
    weight: 3,
    arbitrary: fc.tuple(wellFormed, fc.nat(), fc.nat(255), fc.constantFrom('change', 'drop', 'double')).map(([good, at, byte, how]) => {
      const bad = [...good]
      const index = at % bad.length
      if (how === 'change') bad[index] = byte
      else bad.splice(index, how === 'drop' ? 1 : 0, ...(how === 'drop' ? [] : [byte]))
      return bad
    }),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 30 }).map((noise) => [...noise]) },
)

type Act = (lab: Lab, role: 'client' | 'server') => void

const pick = (lab: Lab, role: 'client' | 'server', which: number): number => {
  const opened = role === 'server' ? lab.raw.opened.bidi : lab.subject.transport.opened.bidi
  return opened === 0 ? -1 : (which % opened) * 4
}
const onStream = (act: (lab: Lab, id: number) => void, which: number): Act => (lab, role) => {
  const id = pick(lab, role, which)
  if (id !== -1 && lab.raw.streams.has(id)) act(lab, id)
}
/** What the application does is its own risk only. */
const application = (act: (lab: Lab) => void): Act => (lab) => {
  try {
    act(lab)
  } catch (error) {
    if (!(error instanceof H3StateError)) throw error
  }
}

/** A message as it should be: head, body, perhaps trailers and the end. */
const message = (role: 'client' | 'server', shape: number): number[][] => {
  const post = headersFrame([[':method', 'POST'], ...GET.slice(1), ['content-length', '6'], ['priority', 'u=1, i']])
  const heads = role === 'server' ? [post, headersFrame(CONNECT_UDP)] : [headersFrame(OK), [...headersFrame([[':status', '103']]), ...headersFrame(OK)]]
  return [heads[shape & 1]!, dataFrame('abc'), dataFrame('def'), ...((shape & 2) === 0 ? [] : [headersFrame([['x-sum', '1']])])]
}

const nat = fc.nat(5)
const exchange: fc.Arbitrary<Act> = fc.tuple(fc.nat(3), fc.nat(5), fc.boolean()).map(([shape, frames, fin]): Act => (lab, role) => {
  let id = -1
  if (role === 'server') id = lab.raw.openStream(true)
  else application(() => (id = lab.subject.h3.sendRequest((shape & 1) === 0 ? GET : CONNECT_UDP, frames > 2)))(lab, role)
  if (id === -1) return
  lab.run()
  if (lab.raw.streams.has(id)) lab.write(id, message(role, shape).slice(0, frames).flat(), fin)
})
const acts: fc.Arbitrary<Act> = fc.oneof(
  { weight: 12, arbitrary: exchange },
  fc.constant<Act>((lab, role) => {
    if (role === 'server') lab.raw.openStream(true)
    else application(() => void lab.subject.h3.sendRequest(GET, true))(lab, role)
  }),
  fc
    .tuple(nat, bytes, fc.boolean())
    .map(([which, payload, fin]) => onStream((lab, id) => lab.write(id, payload, fin && payload.length % 3 === 0), which)),
  fc.tuple(nat, bytes).map(([which, payload]) => onStream((lab, id) => lab.write(id, payload), which)),
  nat.map((which) => onStream((lab, id) => lab.write(id, [], true), which)),
  fc.tuple(nat, fc.constantFrom(0x10b, 0x10c, 2n ** 60n)).map(([which, code]) => onStream((lab, id) => lab.raw.streamReset(id, code), which)),
  nat.map((which) => onStream((lab, id) => lab.raw.streamStop(id, 0x100), which)),
  bytes.map((payload): Act => (lab) => lab.write(lab.control, payload)),
  fc.tuple(fc.constantFrom(0x00, 0x01, 0x02, 0x03, 0x21, 0x54), bytes).map(([type, payload]): Act => (lab) => {
    if (lab.raw.streamsLeft(false) > 0) lab.uni([...varint(type), ...payload])
  }),
  fc.uint8Array({ maxLength: 20 }).map((payload): Act => (lab) => void lab.raw.datagramSend(payload)),
  nat.map((which): Act => (lab) => void lab.raw.datagramSend(Uint8Array.of(which, 1, 2))),
  fc.constant<Act>((lab) => {
    for (let next = lab.subject.h3.receiveDatagram(); next !== null; next = lab.subject.h3.receiveDatagram()) {
      if (next.streamId % 4 !== 0) throw new Error(`a datagram of stream ${next.streamId}`)
    }
  }),
  nat.map((which) => application((lab) => void lab.subject.h3.sendHeaders(which * 4, OK, { fin: which % 2 === 0 }))),
  nat.map((which) => application((lab) => void lab.subject.h3.sendBody(which * 4, ascii('body'), which % 2 === 0))),
  nat.map((which) => application((lab) => lab.subject.h3.setPriority(which * 4, which, true))),
  nat.map((which) => application((lab) => lab.subject.h3.abort(which * 4, 0x10c))),
  nat.map((which) => application((lab) => lab.subject.h3.stop(which * 4, 0x10c))),
  fc.constant(application((lab) => lab.subject.h3.sendGoaway())),
)

function checkStory(events: readonly H3Event[]): void {
  const errors = events.filter((event) => event.kind === 'connection-error')
  expect(errors.length).toBeLessThanOrEqual(1)
  if (errors.length === 1) expect(events.at(-1)).toBe(errors[0])
  const streams = new Map<number, string[]>()
  for (const event of events) {
    if (!('streamId' in event) || event.kind === 'priority-update' || event.kind === 'writable') continue
    const word = event.kind === 'headers' ? (event.trailers ? 'trailers' : event.informational ? '1xx' : 'headers') : event.kind
    streams.set(event.streamId, [...(streams.get(event.streamId) ?? []), word])
  }
  for (const [id, story] of streams) {
    const received = story.filter((word) => word !== 'stopped').join(' ')
    // One message, one end, nothing after it; never an end without a beginning.
    const plot = /^(1xx ?)*(headers( data)*( trailers)?( finished)?)?( ?(reset|stream-error|headers-too-large))?( stream-error)?$/
    expect([id, received]).toEqual([id, expect.stringMatching(plot)])
    expect([id, received.includes('finished') && received.includes('reset')]).toEqual([id, false])
    expect([id, story.filter((word) => word === 'stopped').length <= 1]).toEqual([id, true])
  }
}

describe('any peer (RFC 9114 §8)', () => {
  it.each(['client', 'server'] as const)('of a %s raises events only, and the events keep their promises', (role) => {
    fc.assert(
      fc.property(fc.array(acts, { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 40 }), fc.boolean(), (list, piece, reading) => {
        const lab = new Lab(role, { enableDatagrams: true, enableConnectProtocol: true, maxFieldSectionSize: 2000 }, [0x33, 1, 0x08, 1], 1200)
        lab.subject.reading = reading
        for (const act of list) {
          act(lab, role)
          lab.run(piece)
        }
        lab.subject.poll()
        checkStory(lab.subject.events)
        if (lab.subject.of('connection-error').length > 0) expect(lab.subject.h3.openRequests()).toBe(0)
      }),
      { numRuns: 1500 },
    )
  })
  it('cannot make the layer keep more than it says', () => {
    const lab = new Lab('server', { enableDatagrams: true, enableConnectProtocol: true }, [0x33, 1], 1200)
    for (let i = 0; i < 1000; i++) lab.raw.datagramSend(Uint8Array.of(i % 60, ...new Uint8Array(100)))
    lab.run()
    expect(lab.subject.h3.receiveDatagram()).toBeNull()
    for (let i = 0; i < 60; i++) lab.write(lab.request(), headersFrame(CONNECT_UDP))
    lab.run()
    let kept = 0
    while (lab.subject.h3.receiveDatagram() !== null) kept++
    expect(kept).toBe(MAX_HELD_DATAGRAMS)
    expect(lab.outcome()).toBe('ok')
  })
})
