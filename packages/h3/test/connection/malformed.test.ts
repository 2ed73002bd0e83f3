import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Header } from '../../src/index.ts'
import { GET, Lab, OK, dataFrame, frame, headersFrame, varint } from '../h3-pair.ts'

const MESSAGE = 'stream 0x10e'
const UNEXPECTED = 'connection 0x105'
const FRAME = 'connection 0x106'
const POST: readonly Header[] = [[':method', 'POST'], ...GET.slice(1)]
const without = (name: string): readonly Header[] => GET.filter((field) => field[0] !== name)
const replace = (name: string, value: string): readonly Header[] => GET.map((field) => (field[0] === name ? [name, value] : field))

describe('malformed requests are stream errors H3_MESSAGE_ERROR (RFC 9114 §4.1.2)', () => {
  it.each<[string, readonly Header[]]>([
    ['§4.2 upper case in a name', [...GET, ['X-Test', 'a']]],
    ['§4.2 space in a name', [...GET, ['x test', 'a']]],
    ['§4.2 empty name', [...GET, ['', 'a']]],
    ['§4.2 colon in a name', [...GET, ['x:y', 'a']]],
    ['§4.2 line feed in a value', [...GET, ['x', 'a\nb']]],
    ['§4.2 carriage return in a value', [...GET, ['x', 'a\rb']]],
    ['§4.2 NUL in a value', [...GET, ['x', 'a\0b']]],
    ['§4.2 connection', [...GET, ['connection', 'close']]],
    ['§4.2 keep-alive', [...GET, ['keep-alive', '1']]],
    ['§4.2 proxy-connection', [...GET, ['proxy-connection', 'x']]],
    ['§4.2 transfer-encoding', [...GET, ['transfer-encoding', 'chunked']]],
    ['§4.2 upgrade', [...GET, ['upgrade', 'h2c']]],
    ['§4.2 te other than trailers', [...GET, ['te', 'gzip']]],
    ['§4.3 pseudo-header after a field', [['x', 'a'], ...GET]],
    ['§4.3 undefined pseudo-header', [...GET, [':foo', 'bar']]],
    ['§4.3 response pseudo-header', [...GET, [':status', '200']]],
    ['§4.3.1 no :method', without(':method')],
    ['§4.3.1 no :scheme', without(':scheme')],
    ['§4.3.1 no :path', without(':path')],
    ['§4.3.1 :method twice', [[':method', 'GET'], ...GET]],
    ['§4.3.1 :path twice', [[':path', '/'], ...GET]],
    ['§4.3.1 :scheme twice', [[':scheme', 'https'], ...GET]],
    ['§4.3.1 :authority twice', [[':authority', 'example.com'], ...GET]],
    ['§4.3 a pseudo-header in upper case', [[':METHOD', 'GET'], ...GET.slice(1)]],
    ['§4.3.1 empty :path', replace(':path', '')],
    ['§4.3.1 :path without slash', replace(':path', 'index.html')],
    ['§4.3.1 * for GET', replace(':path', '*')],
    ['§4.3.1 :path with a space, which could not stand in an HTTP/1.1 request line', replace(':path', '/a HTTP/1.1')],
    ['§4.3.1 :path with a tab', replace(':path', '/a\tb')],
    ['§4.3.1 :authority with a slash', replace(':authority', 'example.com/x')],
    ['§4.3.1 :authority with a space', replace(':authority', 'exam ple.com')],
    ['§4.4 CONNECT without a port', [[':method', 'CONNECT'], [':authority', 'example.com']]],
    ['§4.4 CONNECT with userinfo', [[':method', 'CONNECT'], [':authority', 'me@example.com:443']]],
    ['§4.3.1 :path with line break', replace(':path', '/a\r\nb')],
    ['§4.3.1 neither :authority nor host', without(':authority')],
    ['§4.3.1 empty :authority', replace(':authority', '')],
    ['§4.3.1 empty host', [...without(':authority'), ['host', '']]],
    ['§4.3.1 userinfo', replace(':authority', 'me@example.com')],
    ['§4.3.1 host differs', [...GET, ['host', 'example.org']]],
    ['RFC 9110 §7.2 two hosts', [...without(':authority'), ['host', 'a'], ['host', 'a']]],
    ['§4.3.1 invalid :method', replace(':method', 'GE T')],
    ['§4.3.1 empty :method', replace(':method', '')],
    ['§4.3.1 invalid :scheme', replace(':scheme', '1https')],
    ['§4.4 CONNECT with :path', [[':method', 'CONNECT'], ...GET.slice(1)]],
    ['§4.4 CONNECT with :scheme', [[':method', 'CONNECT'], [':scheme', 'https'], [':authority', 'example.com:443']]],
    ['§4.4 CONNECT and a host that differs', [[':method', 'CONNECT'], [':authority', 'example.com:443'], ['host', 'example.org:443']]],
    ['§4.4 CONNECT without :authority', [[':method', 'CONNECT']]],
    ['§4.4 CONNECT with empty :authority', [[':method', 'CONNECT'], [':authority', '']]],
    ['RFC 9220 §3 :protocol not enabled', [[':method', 'CONNECT'], ...GET.slice(1), [':protocol', 'websocket']]],
    ['RFC 9110 §8.6 content-length no number', [...POST, ['content-length', '5x']]],
    ['RFC 9110 §8.6 content-length negative', [...POST, ['content-length', '-1']]],
    ['RFC 9110 §8.6 content-length empty', [...POST, ['content-length', '']]],
    ['RFC 9110 §8.6 content-length twice, different', [...POST, ['content-length', '5'], ['content-length', '6']]],
    ['no field at all', []],
  ])('%s', (_, fields) => {
    const lab = new Lab('server')
    const id = lab.request()
    lab.write(id, headersFrame(fields), true)
    lab.run()
    expect(lab.outcome()).toBe(MESSAGE)
    expect(lab.subject.of('headers')).toEqual([])
    expect(lab.subject.transport.streams.get(id)!.resetCode).toBe(0x10e)
    expect(lab.subject.h3.openRequests()).toBe(0)
    // The connection goes on.
    const next = lab.request()
    lab.write(next, headersFrame(GET), true)
    lab.run()
    expect(lab.subject.story(next)).toEqual(['headers', 'finished'])
  })

  it.each<[string, readonly Header[]]>([
    ['te: trailers', [...GET, ['te', 'trailers']]],
    ['host alone', [...without(':authority'), ['host', 'example.com']]],
    ['host equal to :authority', [...GET, ['host', 'example.com']]],
    ['CONNECT to an IPv6 address', [[':method', 'CONNECT'], [':authority', '[::1]:443']]],
    ['octets above 0x7e in :path', replace(':path', '/\u00e9?q=#x')],
    ['OPTIONS *', [[':method', 'OPTIONS'], [':scheme', 'https'], [':authority', 'a'], [':path', '*']]],
    ['another scheme without authority', [[':method', 'GET'], [':scheme', 'urn'], [':path', 'a:b']]],
    ['content-length twice, equal', [...GET, ['content-length', '0'], ['content-length', '0']]],
    ['octets above 0x7f in a value', [...GET, ['x', '\u00e9\u0080']]],
    ['tab in a value', [...GET, ['x', 'a\tb']]],
    ['empty value', [...GET, ['x', '']]],
  ])('accepted: %s', (_, fields) => {
    const lab = new Lab('server')
    const id = lab.request()
    lab.write(id, headersFrame(fields), true)
    lab.run()
    expect(lab.outcome()).toBe('ok')
    expect(lab.subject.of('headers')[0]!.headers).toEqual(fields)
  })
})

describe('malformed responses (RFC 9114 §4.1.2, §4.3.2)', () => {
  it.each<[string, readonly Header[]]>([
    ['§4.3.2 no :status', [['server', 'x']]],
    ['§4.3.2 :status twice', [...OK, ...OK]],
    ['§4.3 request pseudo-header', [...OK, [':path', '/']]],
    ['§4.3 :status after a field', [['server', 'x'], ...OK]],
    ['RFC 9110 §15 two digits', [[':status', '20']]],
    ['RFC 9110 §15 four digits', [[':status', '2000']]],
    ['RFC 9110 §15 no digits', [[':status', 'abc']]],
    ['RFC 9110 §15 below 100', [[':status', '099']]],
    ['§4.5 101 Switching Protocols', [[':status', '101']]],
    ['§4.2 te in a response', [...OK, ['te', 'trailers']]],
    ['§4.2 upper case', [...OK, ['Server', 'x']]],
    ['§4.2 connection', [...OK, ['connection', 'close']]],
    ['§4.2 transfer-encoding', [...OK, ['transfer-encoding', 'chunked']]],
    ['§4.2 line feed in a value', [...OK, ['x', 'a\nb']]],
    ['§4.1.2 content-length no number', [...OK, ['content-length', 'x']]],
    ['§4.1.2 content-length twice, different', [...OK, ['content-length', '1'], ['content-length', '2']]],
    ['no field at all', []],
  ])('%s', (_, fields) => {
    const lab = new Lab('client')
    const id = lab.request()
    lab.write(id, headersFrame(fields), true)
    lab.run()
    expect(lab.outcome()).toBe(MESSAGE)
    expect(lab.subject.of('headers')).toEqual([])
  })
})

const TRAILERS = headersFrame([['x', 'y']])
const EVERYWHERE = [headersFrame(POST), dataFrame('x'), TRAILERS].flatMap((f) => [...frame(0x21, [1]), ...f, ...frame(0x40, [])])

type Sequence = [name: string, outcome: string, bytes: number[], fin: boolean]

describe('sequences of frames on a request stream (RFC 9114 §4.1, §7)', () => {
  const length5 = headersFrame([...POST, ['content-length', '5']])
  it.each<Sequence>([
    ['§4.1 DATA first', UNEXPECTED, dataFrame('x'), false],
    ['§4.1 DATA after trailers', UNEXPECTED, [...headersFrame(POST), ...TRAILERS, ...dataFrame('x')], false],
    ['§4.1 third HEADERS', UNEXPECTED, [...headersFrame(POST), ...TRAILERS, ...TRAILERS], false],
    ['§4.4 HEADERS in a tunnel', UNEXPECTED, [...headersFrame([[':method', 'CONNECT'], [':authority', 'a:1']]), ...TRAILERS], false],
    ['§7.2.3 CANCEL_PUSH', UNEXPECTED, frame(0x3, [0]), false],
    ['§7.2.4 SETTINGS', UNEXPECTED, frame(0x4, []), false],
    ['§7.2.5 PUSH_PROMISE to a server', UNEXPECTED, frame(0x5, [0, 0, 0]), false],
    ['§7.2.6 GOAWAY', UNEXPECTED, frame(0x7, [0]), false],
    ['§7.2.7 MAX_PUSH_ID', UNEXPECTED, frame(0xd, [0]), false],
    ['RFC 9218 §7.2 PRIORITY_UPDATE', UNEXPECTED, frame(0xf0700, [0]), false],
    ['§7.2.8 HTTP/2 PRIORITY', UNEXPECTED, frame(0x2, []), false],
    ['§7.2.8 HTTP/2 PING', UNEXPECTED, frame(0x6, []), false],
    ['§7.2.8 HTTP/2 WINDOW_UPDATE', UNEXPECTED, frame(0x8, []), false],
    ['§7.2.8 HTTP/2 CONTINUATION', UNEXPECTED, frame(0x9, []), false],
    ['§7.1 end inside a frame type', FRAME, [...headersFrame(POST), 0x40], true],
    ['§7.1 end after a frame type', FRAME, [...headersFrame(POST), 0x00], true],
    ['§7.1 end inside HEADERS', FRAME, headersFrame(POST).slice(0, -1), true],
    ['§7.1 end inside DATA', FRAME, [...headersFrame(POST), ...dataFrame('xyz').slice(0, -1)], true],
    ['§7.1 end before the payload of DATA', FRAME, [...headersFrame(POST), 0, 9], true],
    ['§7.1 end inside an unknown frame', FRAME, [...headersFrame(POST), ...frame(0x21, [1, 2, 3]).slice(0, -1)], true],
    ['§4.1 no request at all', 'stream 0x10d', [], true],
    ['§4.1 only unknown frames', 'stream 0x10d', frame(0x21, [1, 2, 3]), true],
    ['§4.1.2 content-length above DATA', MESSAGE, [...length5, ...dataFrame('abcd')], true],
    ['§4.1.2 content-length, no DATA', MESSAGE, length5, true],
    ['§4.1.2 content-length below DATA', MESSAGE, [...length5, ...dataFrame('abc'), ...dataFrame('def')], false],
    ['§4.3 pseudo-header in trailers', MESSAGE, [...headersFrame(POST), ...headersFrame([[':path', '/']])], true],
    ['§4.2 te in trailers', MESSAGE, [...headersFrame(POST), ...headersFrame([['te', 'trailers']])], true],
    ['§4.2 connection-specific field in trailers', MESSAGE, [...headersFrame(POST), ...headersFrame([['connection', 'x']])], true],
    ['§4.2 upper case in trailers', MESSAGE, [...headersFrame(POST), ...headersFrame([['X', '/']])], true],
    ['RFC 9204 §2.2.3 dynamic reference', 'connection 0x200', frame(0x1, [0, 0, 0x80]), false],
    ['RFC 9204 §4.5.1 empty HEADERS', 'connection 0x200', frame(0x1, []), false],
    ['fine: DATA of length 0', 'ok', [...headersFrame(POST), ...dataFrame(''), ...dataFrame('')], true],
    ['fine: unknown frames everywhere (§9)', 'ok', EVERYWHERE, true],
    ['fine: content-length met in pieces', 'ok', [...length5, ...dataFrame('ab'), ...dataFrame('cde')], true],
  ])('%s', (_, outcome, bytes, fin) => {
    for (const piece of [1, 3, 1 << 20]) {
      const lab = new Lab('server')
      const id = lab.request()
      lab.write(id, bytes, fin)
      lab.run(piece)
      expect(lab.outcome()).toBe(outcome)
    }
  })

  it.each<Sequence>([
    ['§4.1 DATA after an interim response', UNEXPECTED, [...headersFrame([[':status', '100']]), ...dataFrame('x')], false],
    ['§4.1 only an interim response', MESSAGE, headersFrame([[':status', '100']]), true],
    ['§4.1 no response', MESSAGE, [], true],
    ['§7.2.5 PUSH_PROMISE without MAX_PUSH_ID', 'connection 0x108', frame(0x5, [0, 0, 0]), false],
    ['RFC 9110 §15.3.5 content in 204', MESSAGE, [...headersFrame([[':status', '204']]), ...dataFrame('x')], true],
    ['RFC 9110 §15.4.5 content in 304', MESSAGE, [...headersFrame([[':status', '304']]), ...dataFrame('x')], true],
    ['§4.1.2 content-length above DATA', MESSAGE, [...headersFrame([...OK, ['content-length', '5']]), ...dataFrame('abcd')], true],
    ['§4.1.2 content-length, no DATA', MESSAGE, headersFrame([...OK, ['content-length', '5']]), true],
    ['§4.1.2 content-length below DATA', MESSAGE, [...headersFrame([...OK, ['content-length', '5']]), ...dataFrame('abcdef')], false],
    ['§4.1.2 trailers before the DATA are whole', MESSAGE, [...headersFrame([...OK, ['content-length', '5']]), ...TRAILERS], true],
    ['§4.3 pseudo-header in trailers', MESSAGE, [...headersFrame(OK), ...headersFrame(OK)], true],
    ['§4.1 third HEADERS', UNEXPECTED, [...headersFrame(OK), ...TRAILERS, ...TRAILERS], false],
    ['§4.1 DATA after trailers', UNEXPECTED, [...headersFrame(OK), ...TRAILERS, ...dataFrame('x')], false],
    ['§7.1 end inside DATA', FRAME, [...headersFrame(OK), ...dataFrame('xyz').slice(0, -1)], true],
    ['fine: empty DATA in 204', 'ok', [...headersFrame([[':status', '204']]), ...dataFrame('')], true],
    ['fine: content-length in 304', 'ok', headersFrame([[':status', '304'], ['content-length', '10']]), true],
  ])('response: %s', (_, outcome, bytes, fin) => {
    for (const piece of [1, 1 << 20]) {
      const lab = new Lab('client')
      const id = lab.request()
      lab.write(id, bytes, fin)
      lab.run(piece)
      expect(lab.outcome()).toBe(outcome)
    }
  })

  it('content in the response to HEAD (RFC 9110 §9.3.2)', () => {
    const lab = new Lab('client')
    const id = lab.request([[':method', 'HEAD'], ...GET.slice(1)])
    lab.write(id, [...headersFrame([...OK, ['content-length', '1']]), ...dataFrame('x')], true)
    lab.run()
    expect(lab.outcome()).toBe(MESSAGE)
  })
  it('HEADERS in an open tunnel, to a client (RFC 9114 §4.4)', () => {
    const lab = new Lab('client')
    const id = lab.request([[':method', 'CONNECT'], [':authority', 'a:1']])
    lab.write(id, [...headersFrame(OK), ...headersFrame([['x', 'y']])], false)
    lab.run()
    expect(lab.outcome()).toBe(UNEXPECTED)
  })
  it('an error behind a body shows when the body has been read', () => {
    const lab = new Lab('server')
    lab.subject.reading = false
    const id = lab.request()
    lab.write(id, [...headersFrame(POST), ...dataFrame('abc'), ...frame(0x4, [])], false)
    lab.run()
    expect(lab.outcome()).toBe('ok')
    expect(lab.subject.read(id)).toBe(3)
    lab.subject.poll()
    expect(lab.outcome()).toBe(UNEXPECTED)
    expect(lab.subject.h3.readBody(id, 1)).toBeNull()
  })
})

describe('field section limit (RFC 9114 §4.2.2)', () => {
  const large: readonly Header[] = [...GET, ['x', 'y'.repeat(2000)]]
  it('a server can answer 431', () => {
    for (const piece of [1, 1 << 20]) {
      const lab = new Lab('server', { maxFieldSectionSize: 1000 })
      const id = lab.request()
      lab.write(id, headersFrame(large), false)
      lab.run(piece)
      expect(lab.subject.story(id)).toEqual(['headers-too-large'])
      expect(lab.raw.streams.get(id)!.stopCode).toBe(0x100)
      expect(lab.subject.h3.sendHeaders(id, [[':status', '431']], { fin: true })).toBe(true)
      lab.run()
      expect(lab.subject.h3.openRequests()).toBe(0)
      expect(lab.raw.streams.get(id)!.inFin).toBe(true)
    }
  })
  it('counts 32 bytes for every field, whatever the coding saves', () => {
    const lab = new Lab('server', { maxFieldSectionSize: 1000 })
    const id = lab.request()
    lab.write(id, headersFrame([...GET, ...Array.from({ length: 40 }, (): Header => ['accept', '*/*'])]), true)
    lab.run()
    expect(lab.subject.story(id)).toEqual(['headers-too-large'])
  })
  it('a promise of a large section is refused before it comes', () => {
    const lab = new Lab('server')
    const id = lab.request()
    lab.write(id, [0x01, ...varint(2 ** 40)], false)
    lab.run()
    expect(lab.subject.story(id)).toEqual(['headers-too-large'])
  })
  it('trailers come too late for that: their stream is given up, not the connection', () => {
    const lab = new Lab('server', { maxFieldSectionSize: 1000 })
    const id = lab.request()
    lab.write(id, [...headersFrame(POST), ...dataFrame('x'), ...headersFrame([['x', 'y'.repeat(2000)]])], true)
    lab.run()
    expect(lab.subject.story(id)).toEqual(['headers', 'data', 'stream-error'])
    expect(lab.outcome()).toBe('stream 0x107')
    expect(lab.subject.h3.openRequests()).toBe(0)
  })
  it('a client gives the response up', () => {
    const lab = new Lab('client', { maxFieldSectionSize: 1000 })
    const id = lab.request()
    lab.write(id, headersFrame([...OK, ['x', 'y'.repeat(2000)]]), true)
    lab.run()
    expect(lab.outcome()).toBe('stream 0x107')
  })
})

describe('any bytes', () => {
  const roles = fc.constantFrom('client' as const, 'server' as const)
  const places = fc.constantFrom('request', 'uni', 'control')
  const whole = [
    ...headersFrame([...POST, ['content-length', '6'], ['x-some', 'Value 123']]),
    ...dataFrame('abc'),
    ...frame(0x21, [1, 2, 3]),
    ...dataFrame('def'),
    ...headersFrame([['x-sum', '6']]),
  ]
  it('a request cut at every byte never throws; an end there is an error, no end is none', () => {
    for (let cut = 0; cut <= whole.length; cut++) {
      for (const fin of [false, true]) {
        const lab = new Lab('server')
        const id = lab.request()
        lab.write(id, whole.slice(0, cut), fin)
        lab.run()
        if (fin && cut < whole.length) {
          // Between the last DATA and the trailers the message is whole as well.
          const complete = cut === whole.length - headersFrame([['x-sum', '6']]).length
          expect([cut, lab.outcome() === 'ok']).toEqual([cut, complete])
        } else expect(lab.outcome()).toBe('ok')
        // The rest may come later.
        if (!fin) {
          lab.write(id, whole.slice(cut), true)
          lab.run()
          expect(lab.subject.story(id).filter((e) => e !== 'data')).toEqual(['headers', 'trailers', 'finished'])
          expect(lab.subject.body(id)).toBe('abcdef')
        }
      }
    }
  })
  it('corruption of any bit on any stream raises events only', () => {
    fc.assert(
      fc.property(roles, fc.nat(), fc.nat(7), fc.integer({ min: 1, max: 20 }), (role, at, bit, piece) => {
        const bytes = role === 'server' ? [...whole] : [...headersFrame([...OK, ['content-length', '3']]), ...dataFrame('abc')]
        bytes[at % bytes.length]! ^= 1 << bit
        const lab = new Lab(role)
        const id = lab.request()
        lab.write(id, bytes, true)
        lab.run(piece)
        expect(lab.subject.of('connection-error').length).toBeLessThanOrEqual(1)
      }),
      { numRuns: 500 },
    )
  })
  it('noise on any stream raises events only', () => {
    fc.assert(
      fc.property(roles, places, fc.uint8Array({ maxLength: 80 }), fc.boolean(), fc.integer({ min: 1, max: 20 }), (role, where, noise, fin, piece) => {
        const lab = new Lab(role)
        const id = where === 'request' ? lab.request() : where === 'uni' ? lab.uni([]) : lab.control
        lab.write(id, [...noise], fin)
        lab.run(piece)
        if (where === 'control' && fin) expect(lab.outcome()).toMatch(/^connection/)
        expect(lab.subject.of('connection-error').length).toBeLessThanOrEqual(1)
      }),
      { numRuns: 1500 },
    )
  })
})
