import { readVarint, varintLengthAt } from '@quicwire/quic/varint'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Header } from '../../src/index.ts'
import { GET, Lab, OK, ascii, h3Pair, stateError } from '../h3-pair.ts'
import type { Pair } from '../h3-pair.ts'

const POST: readonly Header[] = [[':method', 'POST'], ...GET.slice(1)]
const CODE = 0x10c

/** Sends `text` however the transport takes it. */
function sendAll(pair: Pair, from: 'client' | 'server', id: number, text: string, fin: boolean): void {
  let rest = ascii(text)
  for (let round = 0; ; round++) {
    expect(round).toBeLessThan(100_000)
    const accepted = pair[from].h3.sendBody(id, rest, fin)
    expect(accepted).toBeGreaterThanOrEqual(0)
    if (accepted === rest.length) return
    rest = rest.subarray(accepted)
    pair.run()
  }
}

describe.each([1, 2, 7, 1 << 20])('messages, in pieces of %i bytes (RFC 9114 §4.1)', (piece) => {
  it('GET without a body', () => {
    const pair = h3Pair()
    const { client, server } = pair
    const id = client.h3.sendRequest(GET, true)
    pair.run(piece)
    expect(server.story(id)).toEqual(['headers', 'finished'])
    expect(server.of('headers')[0]!.headers).toEqual(GET)
    expect(server.h3.sendHeaders(id, [...OK, ['content-length', '5']], { fin: false })).toBe(true)
    expect(server.h3.sendBody(id, ascii('hello'), true)).toBe(5)
    pair.run(piece)
    expect(client.story(id).filter((e) => e !== 'data')).toEqual(['headers', 'finished'])
    expect(client.story(id)).toContain('data')
    expect(client.body(id)).toBe('hello')
    expect(client.h3.openRequests() + server.h3.openRequests()).toBe(0)
  })

  it('POST with a body and trailers both ways', () => {
    const pair = h3Pair()
    const { client, server } = pair
    const id = client.h3.sendRequest(POST, false)
    expect(client.h3.sendBody(id, ascii('ab'), false)).toBe(2)
    expect(client.h3.sendBody(id, ascii('cde'), false)).toBe(3)
    expect(client.h3.sendHeaders(id, [['x-sum', '5']], { fin: true, trailers: true })).toBe(true)
    pair.run(piece)
    expect(server.story(id).filter((e) => e !== 'data')).toEqual(['headers', 'trailers', 'finished'])
    expect(server.body(id)).toBe('abcde')
    expect(server.of('headers')[1]!.headers).toEqual([['x-sum', '5']])
    server.h3.sendHeaders(id, OK, { fin: false })
    server.h3.sendBody(id, ascii('ok'), false)
    server.h3.sendHeaders(id, [['x-t', 'u']], { fin: false, trailers: true })
    expect(server.h3.sendBody(id, new Uint8Array(0), true)).toBe(0)
    pair.run(piece)
    expect(client.story(id).filter((e) => e !== 'data')).toEqual(['headers', 'trailers', 'finished'])
    expect(client.body(id)).toBe('ok')
    expect(client.h3.openRequests() + server.h3.openRequests()).toBe(0)
  })

  it('keeps interim responses, in order (RFC 9110 §15.2)', () => {
    const pair = h3Pair()
    const { client, server } = pair
    const id = client.h3.sendRequest(GET, true)
    pair.run(piece)
    server.h3.sendHeaders(id, [[':status', '100']], { fin: false, informational: true })
    server.h3.sendHeaders(id, [[':status', '103'], ['link', '</a>']], { fin: false, informational: true })
    server.h3.sendHeaders(id, [[':status', '204']], { fin: true })
    pair.run(piece)
    expect(client.story(id)).toEqual(['informational', 'informational', 'headers', 'finished'])
  })

  it('HEAD, 204 and 304 may announce a length they do not have (RFC 9110 §6.4.1)', () => {
    for (const [method, status] of [['HEAD', '200'], ['GET', '304'], ['GET', '204']] as const) {
      const pair = h3Pair()
      const { client, server } = pair
      const id = client.h3.sendRequest([[':method', method], ...GET.slice(1)], true)
      pair.run(piece)
      server.h3.sendHeaders(id, [[':status', status], ['content-length', '100']], { fin: false })
      // The application may send its body all the same: none of it goes out.
      expect(server.h3.sendBody(id, ascii('x'.repeat(100)), true)).toBe(100)
      pair.run(piece)
      expect(client.story(id)).toEqual(['headers', 'finished'])
    }
  })

  it('CONNECT is a tunnel (§4.4)', () => {
    const pair = h3Pair()
    const { client, server } = pair
    const id = client.h3.sendRequest([[':method', 'CONNECT'], [':authority', 'example.com:443']], false)
    pair.run(piece)
    server.h3.sendHeaders(id, OK, { fin: false })
    client.h3.sendBody(id, ascii('ping'), false)
    server.h3.sendBody(id, ascii('pong'), false)
    pair.run(piece)
    expect([server.body(id), client.body(id)]).toEqual(['ping', 'pong'])
    client.h3.sendBody(id, new Uint8Array(0), true)
    server.h3.sendBody(id, new Uint8Array(0), true)
    pair.run(piece)
    expect(server.story(id).at(-1)).toBe('finished')
    expect(client.story(id).at(-1)).toBe('finished')
  })
})

/** Payload sizes of the DATA frames that make up `bytes`. */
function dataFrames(bytes: Uint8Array): number[] {
  const sizes: number[] = []
  for (let at = 0; at < bytes.length; ) {
    expect(bytes[at]).toBe(0x00)
    const size = readVarint(bytes, at + 1, bytes.length)
    sizes.push(size)
    at += 1 + varintLengthAt(bytes[at + 1]!) + size
  }
  return sizes
}

const BUFFERS = [1, 2, 3, 4, 5, 63, 64, 65, 66, 67, 68, 100, 16385, 16386, 16387, 16388, 16390]

describe('bodies', () => {
  it.each(BUFFERS)('go through a send buffer of %i bytes whole', (limit) => {
    const pair = h3Pair()
    const { client, server } = pair
    client.transport.bufferLimit = limit
    const text = Array.from({ length: limit > 1000 ? 50_000 : 300 }, (_, i) => String.fromCharCode(97 + (i % 26))).join('')
    const id = client.h3.sendRequest([...POST, ['content-length', String(text.length)]], false)
    pair.run()
    sendAll(pair, 'client', id, text, true)
    pair.run()
    expect(server.body(id)).toBe(text)
    expect(server.story(id).at(-1)).toBe('finished')
    expect(client.story(id)).toContain('writable')
  })

  it('stay in the transport until they are read, and data is announced once', () => {
    const pair = h3Pair()
    const { client, server } = pair
    server.reading = false
    const id = client.h3.sendRequest(POST, false)
    for (let i = 0; i < 10; i++) {
      client.h3.sendBody(id, ascii('0123456789'), i === 9)
      pair.run()
    }
    expect(server.story(id)).toEqual(['headers', 'data'])
    expect(server.transport.streams.get(id)!.in.size).toBeGreaterThan(100)
    // Reading in small steps: views of the transport's bytes, no copies.
    const first = server.h3.readBody(id, 4)!
    expect(String.fromCharCode(...first)).toBe('0123')
    const second = server.h3.readBody(id, 100)!
    expect(String.fromCharCode(...second)).toBe('456789')
    expect(second.buffer).toBe(first.buffer)
    expect(server.read(id, 7)).toBe(90)
    server.poll()
    expect(server.story(id)).toEqual(['headers', 'data', 'finished'])
  })

  it('go out as they were given, not copied, in DATA frames as large as there is room for', () => {
    const length = 300_000
    for (const [room, frames] of [[1 << 20, 1], [65_536, 5]] as const) {
      const lab = new Lab('client')
      lab.subject.transport.bufferLimit = room
      const id = lab.subject.h3.sendRequest([...POST, ['content-length', String(length)]], false)
      lab.run()
      const stream = lab.raw.streams.get(id)!
      const head = stream.in.size
      const body = Uint8Array.from({ length }, (_, i) => i % 251)
      for (let at = 0; at < length; lab.run()) {
        const accepted = lab.subject.h3.sendBody(id, body.subarray(at), true)
        expect(accepted).toBeGreaterThan(0)
        const chunk = lab.subject.transport.streams.get(id)!.out.chunks.at(-1)!
        expect([chunk.buffer === body.buffer, chunk.byteOffset, chunk.length]).toEqual([true, at, accepted])
        at += accepted
      }
      const received = Uint8Array.from(stream.in.chunks.flatMap((chunk) => [...chunk])).subarray(head)
      const sizes = dataFrames(received)
      expect(sizes.length).toBe(frames)
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(length)
    }
  })

  it('are announced again once they have been read dry', () => {
    const pair = h3Pair()
    const { client, server } = pair
    const id = client.h3.sendRequest(POST, false)
    for (let i = 0; i < 3; i++) {
      client.h3.sendBody(id, ascii('abc'), false)
      pair.run()
    }
    expect(server.story(id)).toEqual(['headers', 'data', 'data', 'data'])
    expect(server.body(id)).toBe('abcabcabc')
    expect(server.h3.readBody(id, 10)).toBeNull()
  })

  it('survive any schedule of sizes, pieces and reads', () => {
    const bodies = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 300 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(bodies, fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 200 }), fc.boolean(), (parts, piece, limit, trailers) => {
        const pair = h3Pair()
        const { client, server } = pair
        client.transport.bufferLimit = limit
        const id = client.h3.sendRequest(POST, false)
        pair.run(piece)
        for (const part of parts) {
          sendAll(pair, 'client', id, part, false)
          pair.run(piece)
        }
        if (trailers) client.h3.sendHeaders(id, [['x', 'y']], { fin: true, trailers: true })
        else sendAll(pair, 'client', id, '', true)
        pair.run(piece)
        expect(server.body(id)).toBe(parts.join(''))
        const frames = server.story(id).filter((e) => e !== 'data')
        expect(frames).toEqual(trailers ? ['headers', 'trailers', 'finished'] : ['headers', 'finished'])
      }),
      { numRuns: 150 },
    )
  })

  it('a header section larger than the send buffer still gets through', () => {
    const pair = h3Pair()
    const { client, server } = pair
    client.transport.bufferLimit = 10
    const id = client.h3.sendRequest([...GET, ['x-long', 'q'.repeat(500)]], false)
    expect(client.h3.sendBody(id, ascii('x'), false)).toBe(0)
    expect(client.h3.sendCapacity(id)).toBe(0)
    // An end needs no room: it waits with the section.
    const ended = client.h3.sendRequest([...GET, ['x-long', 'r'.repeat(500)]], false)
    expect(client.h3.sendBody(ended, new Uint8Array(0), true)).toBe(0)
    expect(client.h3.isSendable(ended)).toBe(false)
    pair.run()
    expect(server.story(ended)).toEqual(['headers', 'finished'])
    expect(client.story(id)).toContain('writable')
    expect(server.story(id)).toEqual(['headers'])
    sendAll(pair, 'client', id, 'later', true)
    pair.run()
    expect(server.body(id)).toBe('later')
  })
})

describe('giving up', () => {
  it('a reset in the middle of a body (§4.1.1)', () => {
    const pair = h3Pair()
    const { client, server } = pair
    const id = client.h3.sendRequest(POST, false)
    client.h3.sendBody(id, ascii('part'), false)
    pair.run()
    client.h3.reset(id, CODE)
    pair.run()
    expect(server.story(id)).toEqual(['headers', 'data', 'reset'])
    expect(server.of('reset')[0]!.code).toBe(CODE)
    expect(server.h3.readBody(id, 10)).toBeNull()
    // The other half is still there.
    expect(server.h3.sendHeaders(id, OK, { fin: true })).toBe(true)
    pair.run()
    expect(client.story(id)).toEqual(['headers', 'finished'])
    expect(client.h3.openRequests() + server.h3.openRequests()).toBe(0)
  })

  it('STOP_SENDING in the middle of a body', () => {
    const pair = h3Pair()
    const { client, server } = pair
    const id = client.h3.sendRequest(POST, false)
    client.h3.sendBody(id, ascii('part'), false)
    pair.run()
    server.h3.stop(id, 0x100)
    pair.run()
    expect(client.of('stopped')).toEqual([{ kind: 'stopped', streamId: id, code: 0x100 }])
    expect(client.h3.sendBody(id, ascii('more'), false)).toBe(-1)
    expect(client.h3.isSendable(id)).toBe(false)
    expect(server.story(id)).toEqual(['headers', 'data'])
    server.h3.sendHeaders(id, OK, { fin: true })
    pair.run()
    expect(client.story(id).at(-1)).toBe('finished')
    expect(client.h3.openRequests() + server.h3.openRequests()).toBe(0)
  })

  it('a request reset before its headers leaves nothing behind', () => {
    const pair = h3Pair()
    const { client, server } = pair
    const id = client.transport.openStream(true)
    client.transport.streamWrite(id, Uint8Array.of(1, 40, 0), false)
    pair.run()
    client.transport.streamReset(id, CODE)
    pair.run()
    expect(server.h3.openRequests()).toBe(0)
    expect(server.transport.streams.get(id)!.resetCode).toBe(0x10b)
    expect(server.of('headers')).toEqual([])
  })
})

describe('wrong calls raise H3StateError and send nothing', () => {
  it.each<[string, readonly Header[]]>([
    ['upper case', [...GET, ['X-Upper', 'a']]],
    ['line break in a value', [...GET, ['x', 'a\r\nb']]],
    ['connection-specific', [...GET, ['connection', 'close']]],
    ['no :path', GET.slice(0, 3)],
    ['beyond latin1', [...GET, ['x', '\u0142']]],
  ])('%s', (_, fields) => {
    const { client } = h3Pair()
    expect(stateError(() => client.h3.sendRequest(fields, true))).toBe('H3_INVALID_FIELDS')
    expect(client.transport.opened.bidi).toBe(0)
  })
  it('out of order', () => {
    const pair = h3Pair()
    const { client, server } = pair
    const id = client.h3.sendRequest(POST, false)
    pair.run()
    expect(stateError(() => server.h3.sendBody(id, ascii('x'), false))).toBe('H3_MESSAGE_STATE')
    expect(stateError(() => server.h3.sendHeaders(id, [['x', 'y']], { fin: true, trailers: true }))).toBe('H3_MESSAGE_STATE')
    expect(stateError(() => server.h3.sendHeaders(id, [[':status', '100']], { fin: false }))).toBe('H3_INVALID_FIELDS')
    expect(stateError(() => server.h3.sendHeaders(id, OK, { fin: false, informational: true }))).toBe('H3_INVALID_FIELDS')
    expect(stateError(() => server.h3.sendHeaders(id, [[':status', '100']], { fin: true, informational: true }))).toBe('H3_MESSAGE_STATE')
    server.h3.sendHeaders(id, OK, { fin: false })
    expect(stateError(() => server.h3.sendHeaders(id, OK, { fin: false }))).toBe('H3_MESSAGE_STATE')
    expect(stateError(() => client.h3.sendHeaders(id, GET, { fin: false }))).toBe('H3_MESSAGE_STATE')
    client.h3.sendHeaders(id, [['x', 'y']], { fin: false, trailers: true })
    expect(stateError(() => client.h3.sendBody(id, ascii('x'), false))).toBe('H3_MESSAGE_STATE')
    expect(stateError(() => server.h3.sendRequest(GET, true))).toBe('H3_WRONG_ROLE')
  })
  it('before start', () => {
    const { client } = h3Pair({}, {}, false)
    expect(stateError(() => client.h3.sendRequest(GET, true))).toBe('H3_NOT_STARTED')
  })
  it('a section the peer has said it will refuse (§4.2.2)', () => {
    const pair = h3Pair({}, { maxFieldSectionSize: 200 })
    expect(stateError(() => pair.client.h3.sendRequest([...GET, ['x', 'y'.repeat(200)]], true))).toBe('H3_FIELD_SECTION_TOO_LARGE')
    expect(pair.client.h3.sendRequest(GET, true)).toBe(0)
  })
})
