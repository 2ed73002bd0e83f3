import { describe, expect, it } from 'vitest'
import type { Header } from '../../src/index.ts'
import { GET, Lab, OK, dataFrame, frame, headersFrame } from '../h3-pair.ts'

// RFC 9114 Table 1 and §4.1, §4.4, §6.2, §7.2, RFC 9218 §7.2, RFC 9412 §2: every frame type on every stream type in every state, both roles.

type Role = 'client' | 'server'
type Place =
  | 'control, no SETTINGS yet'
  | 'control'
  | 'control, after GOAWAY'
  | 'request, empty'
  | 'after 1xx'
  | 'body'
  | 'after trailers'
  | 'tunnel'
  | 'extended tunnel'
  | 'blocked trailers'
  | 'push stream'
  | 'unknown stream'
  | "a server's bidirectional stream"

const POST: readonly Header[] = [[':method', 'POST'], ...GET.slice(1)]
const CONNECT: readonly Header[] = [[':method', 'CONNECT'], [':authority', 'example.com:443']]
const EXTENDED: readonly Header[] = [[':method', 'CONNECT'], ...GET.slice(1), [':protocol', 'websocket']]
const TRAILERS = headersFrame([['x', 'y']])

const MISSING = 'connection 0x10a'
const UNEXPECTED = 'connection 0x105'
const ID = 'connection 0x108'
/** The section waits for the QPACK encoder stream: it refers to the first insertion, which never comes. */
const BLOCKED = frame(0x1, [0x02, 0x00, 0x80])
const CREATION = 'connection 0x103'

/** Outcomes in the order of `places`. */
type Row = [name: string, bytes: number[] | 'section', server: string, client: string]

const places: Record<Role, readonly Place[]> = {
  server: [
    'control, no SETTINGS yet', 'control', 'control, after GOAWAY', 'request, empty', 'body', 'after trailers', 'tunnel', 'extended tunnel',
    'blocked trailers', 'push stream', 'unknown stream',
  ],
  client: [
    'control, no SETTINGS yet', 'control', 'control, after GOAWAY', 'request, empty', 'after 1xx', 'body', 'after trailers', 'tunnel',
    'extended tunnel', 'blocked trailers', 'push stream', 'unknown stream', "a server's bidirectional stream",
  ],
}
const words: Record<string, string> = { M: MISSING, U: UNEXPECTED, I: ID, C: CREATION, '.': 'ok' }

// Per role one letter a place: M H3_MISSING_SETTINGS, U H3_FRAME_UNEXPECTED, I H3_ID_ERROR, C H3_STREAM_CREATION_ERROR, . fine.
const table: Row[] = [
  ['DATA', dataFrame('x'), 'MUUU.U...C.', 'MUUUU.U...I.C'],
  ['HEADERS', 'section', 'MUU..UUU.C.', 'MUU...UUU.I.C'],
  ['CANCEL_PUSH', frame(0x3, [0]), 'MIIUUUUU.C.', 'MIIUUUUUU.I.C'],
  ['SETTINGS', frame(0x4, []), '.UUUUUUU.C.', '.UUUUUUUU.I.C'],
  ['PUSH_PROMISE', frame(0x5, [0, 0, 0]), 'MUUUUUUU.C.', 'MUUIIIIUU.I.C'],
  ['GOAWAY', frame(0x7, [0]), 'M..UUUUU.C.', 'M..UUUUUU.I.C'],
  ['ORIGIN', frame(0xc, []), 'M........C.', 'M.........I.C'],
  ['MAX_PUSH_ID', frame(0xd, [0]), 'M..UUUUU.C.', 'MUUUUUUUU.I.C'],
  ['PRIORITY_UPDATE for a request', frame(0xf0700, [0]), 'M..UUUUU.C.', 'MUUUUUUUU.I.C'],
  ['PRIORITY_UPDATE for a push', frame(0xf0701, [0]), 'MIIUUUUU.C.', 'MUUUUUUUU.I.C'],
  ['HTTP/2 PRIORITY', frame(0x2, [0, 0, 0, 0, 0]), 'MUUUUUUU.C.', 'MUUUUUUUU.I.C'],
  ['HTTP/2 PING', frame(0x6, []), 'MUUUUUUU.C.', 'MUUUUUUUU.I.C'],
  ['HTTP/2 WINDOW_UPDATE', frame(0x8, [0]), 'MUUUUUUU.C.', 'MUUUUUUUU.I.C'],
  ['HTTP/2 CONTINUATION', frame(0x9, []), 'MUUUUUUU.C.', 'MUUUUUUUU.I.C'],
  ['reserved 0x21', frame(0x21, [1, 2, 3]), 'M........C.', 'M.........I.C'],
  ['reserved, the largest number', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 2, 1, 1], 'M........C.', 'M.........I.C'],
  ['unknown 0x4242', frame(0x4242, []), 'M........C.', 'M.........I.C'],
]

type Case = [name: string, place: Place, role: Role, row: Row, letter: string]
const server = table.flatMap((row) => places.server.map((place, i): Case => [row[0], place, 'server', row, row[2][i]!]))
const client = table.flatMap((row) => places.client.map((place, i): Case => [row[0], place, 'client', row, row[3][i]!]))

/** Brings a connection to the place and returns the stream the frame goes to. */
function arrange(lab: Lab, role: Role, place: Place): number {
  const send = (id: number, ...frames: number[][]): number => {
    lab.write(id, frames.flat())
    lab.run()
    return id
  }
  switch (place) {
    case 'control, no SETTINGS yet':
      return lab.uni([0x00])
    case 'control':
      return lab.control
    case 'control, after GOAWAY':
      return send(lab.control, frame(0x7, [0]))
    case 'push stream':
      return lab.uni([0x01, 0x00])
    case 'unknown stream':
      return lab.uni([0x21])
    case 'request, empty':
      return lab.request()
    case 'after 1xx':
      return send(lab.request(), headersFrame([[':status', '103']]))
    case 'body':
      return send(lab.request(), headersFrame(role === 'server' ? POST : OK))
    case 'after trailers':
      return send(lab.request(), headersFrame(role === 'server' ? POST : OK), TRAILERS)
    case 'tunnel':
      return send(lab.request(role === 'client' ? CONNECT : undefined), headersFrame(role === 'server' ? CONNECT : OK))
    case 'extended tunnel':
      return send(lab.request(role === 'client' ? EXTENDED : undefined), headersFrame(role === 'server' ? EXTENDED : OK))
    case 'blocked trailers':
      // RFC 9204 §2.2.1: nothing behind it is read.
      return send(lab.request(), headersFrame(role === 'server' ? POST : OK), BLOCKED)
    case "a server's bidirectional stream":
      return lab.raw.openStream(true)
  }
}

describe.each([['server', server], ['client', client]] as const)('frames to a %s', (_, rows) => {
  it.each(rows)('%s, %s', (_name, place, role, row, letter) => {
    for (const piece of [1, 1 << 20]) {
      const settings = place === 'extended tunnel' && role === 'client' ? [0x08, 1] : []
      const lab = new Lab(role, { enableConnectProtocol: true }, place === 'control, no SETTINGS yet' ? null : settings)
      const id = arrange(lab, role, place)
      expect(lab.outcome()).toBe('ok')
      const head = role === 'server' ? POST : OK
      const section = place === 'request, empty' || place === 'after 1xx' ? headersFrame(head) : TRAILERS
      lab.write(id, row[1] === 'section' ? section : row[1])
      lab.run(piece)
      expect(lab.outcome()).toBe(words[letter])
    }
  })
  it('no place has been left out', () => {
    for (const row of table) expect([row[2].length, row[3].length]).toEqual([places.server.length, places.client.length])
  })
})
