import { QpackEncoder } from '@quicwire/qpack'
import { describe, expect, it } from 'vitest'
import { ReceiveState } from '../../src/index.ts'
import type { H3StreamEvent, H3Transport, Header } from '../../src/index.ts'
import { Endpoint, GET, OK, ascii, frame, varint } from '../h3-pair.ts'
import { fakeTransports, quicTransports } from './fixtures.ts'
import type { TransportFactory, TransportFixture, TransportSide } from './fixtures.ts'

// What HTTP/3 relies on of H3Transport, and HTTP/3 itself, on every transport there is.

const transports: [string, TransportFactory][] = [
  ['the fake transport', fakeTransports],
  ["quic's Connection", quicTransports],
]

const kinds = (side: TransportSide, id: number): string[] => side.events.filter((event) => event.streamId === id).map((event) => event.kind)
const find = (side: TransportSide, kind: H3StreamEvent['kind'], id: number): H3StreamEvent | undefined =>
  side.events.find((event) => event.kind === kind && event.streamId === id)

function readAll(side: TransportSide, id: number): string {
  let text = ''
  for (let view = side.transport.streamPeek(id); view !== null && view.length > 0; view = side.transport.streamPeek(id)) {
    text += String.fromCharCode(...view)
    side.transport.streamConsume(id, view.length)
  }
  return text
}

describe.each(transports)('H3Transport: %s', (_, make) => {
  it('numbers streams as QUIC does, up to the limit of the peer', () => {
    const { client, server } = make({ streams: 2 })
    expect([client.transport.streamsLeft(true), server.transport.peerStreamLimit(true)]).toEqual([2, 2])
    expect([client.transport.openStream(true), client.transport.openStream(true), client.transport.openStream(true)]).toEqual([0, 4, -1])
    expect(client.transport.streamsLeft(true)).toBe(0)
    expect([client.transport.openStream(false), server.transport.openStream(false), server.transport.openStream(true)]).toEqual([2, 3, 1])
  })
  it('announces streams and bytes; what is peeked stays after it is consumed', () => {
    const { client, server, move } = make()
    const id = client.transport.openStream(true)
    expect(client.transport.streamWrite(id, ascii('hello'), false)).toBe(5)
    move()
    expect(kinds(server, id)).toContain('stream-opened')
    const view = server.transport.streamPeek(id)!
    server.transport.streamConsume(id, 2)
    expect(String.fromCharCode(...server.transport.streamPeek(id)!)).toBe('llo')
    server.transport.streamConsume(id, 3)
    expect(server.transport.streamPeek(id)).toBeNull()
    expect(server.transport.streamReceiveState(id)).toBe(ReceiveState.open)
    server.events.length = 0
    client.transport.streamWrite(id, ascii(' world'), true)
    move()
    expect(kinds(server, id)).toContain('stream-readable')
    // The end is reached when everything has been consumed, not before.
    expect(server.transport.streamReceiveState(id)).toBe(ReceiveState.open)
    expect(readAll(server, id)).toBe(' world')
    expect(server.transport.streamReceiveState(id)).toBe(ReceiveState.finished)
    expect(String.fromCharCode(...view)).toBe('hello')
  })
  it('announces an end without bytes', () => {
    const { client, server, move } = make()
    const id = client.transport.openStream(true)
    client.transport.streamWrite(id, ascii('x'), false)
    move()
    readAll(server, id)
    server.events.length = 0
    expect(client.transport.streamWrite(id, new Uint8Array(0), true)).toBe(0)
    move()
    expect(kinds(server, id)).toContain('stream-readable')
    expect(server.transport.streamReceiveState(id)).toBe(ReceiveState.finished)
    expect(client.transport.streamWrite(id, ascii('y'), false)).toBe(-1)
    expect(client.transport.streamCapacity(id)).toBe(-1)
  })
  it('takes as much as it says it has room for, and says when there is room again', () => {
    const { client, server, move } = make({ sendBuffer: 3000 })
    const id = client.transport.openStream(true)
    const room = client.transport.streamCapacity(id)
    expect(room).toBe(3000)
    expect(client.transport.streamWrite(id, new Uint8Array(10_000), true)).toBe(room)
    expect(client.transport.streamCapacity(id)).toBe(0)
    move()
    expect(kinds(client, id)).toContain('stream-writable')
    expect(client.transport.streamCapacity(id)).toBeGreaterThan(0)
    expect(readAll(server, id).length).toBe(3000)
    // The end did not count: not everything was accepted.
    expect(server.transport.streamReceiveState(id)).toBe(ReceiveState.open)
  })
  it.each([0x10c, 2n ** 61n])('a reset with code %s drops what was not read', (code) => {
    const { client, server, move } = make()
    const id = client.transport.openStream(true)
    client.transport.streamWrite(id, ascii('unread'), false)
    move()
    client.transport.streamReset(id, code)
    move()
    expect(find(server, 'stream-reset', id)?.code ?? server.transport.streamResetCode(id)).toBe(code)
    expect(server.transport.streamReceiveState(id)).toBe(ReceiveState.reset)
    expect(server.transport.streamPeek(id)).toBeNull()
    expect(client.transport.streamWrite(id, ascii('more'), false)).toBe(-1)
    // The other half is not touched.
    expect(server.transport.streamWrite(id, ascii('answer'), true)).toBe(6)
    move()
    expect(readAll(client, id)).toBe('answer')
  })
  it.each([0x100, 2n ** 61n])('a stop with code %s closes what the peer sends', (code) => {
    const { client, server, move } = make()
    const id = client.transport.openStream(true)
    client.transport.streamWrite(id, ascii('unwanted'), false)
    move()
    server.transport.streamStop(id, code)
    move()
    expect(find(client, 'stream-stopped', id)?.code ?? client.transport.streamStopCode(id)).toBe(code)
    expect(client.transport.streamWrite(id, ascii('more'), false)).toBe(-1)
    expect(client.transport.streamCapacity(id)).toBe(-1)
    expect(server.transport.streamPeek(id)).toBeNull()
    server.events.length = 0
    move()
    expect(kinds(server, id)).not.toContain('stream-readable')
  })
  it.each(['an end', 'a reset'] as const)('says when both halves are over, once everything has been read; then the stream is gone: %s', (how) => {
    const { client, server, move } = make()
    const id = client.transport.openStream(true)
    client.transport.streamWrite(id, ascii('question'), true)
    move()
    readAll(server, id)
    server.transport.streamWrite(id, ascii('answer'), how === 'an end')
    move()
    if (how === 'a reset') server.transport.streamReset(id, 0x10c)
    else {
      expect(kinds(client, id)).not.toContain('stream-closed')
      expect(readAll(client, id)).toBe('answer')
    }
    move()
    for (const side of [client, server]) expect(kinds(side, id).filter((kind) => kind === 'stream-closed').length).toBe(1)
    expect(kinds(client, id).at(-1)).toBe('stream-closed')
    client.events.length = 0
    move()
    expect(client.transport.streamReceiveState(id)).toBe(ReceiveState.unknown)
    expect(client.transport.streamPeek(id)).toBeNull()
  })
  it('knows nothing of streams that are not there', () => {
    const { client } = make()
    expect(client.transport.streamReceiveState(400)).toBe(ReceiveState.unknown)
    expect(client.transport.streamPeek(400)).toBeNull()
    expect(client.transport.streamWrite(400, ascii('x'), false)).toBe(-1)
    expect(client.transport.streamCapacity(400)).toBe(-1)
    client.transport.streamReset(400, 0x100)
    client.transport.streamStop(400, 0x100)
    client.transport.streamSetPriority(400, 3, true)
    expect(client.events).toEqual([])
  })
  it('carries datagrams no larger than it says', () => {
    const { client, server, move } = make()
    const largest = client.transport.datagramMaxSize()
    expect(largest).toBeGreaterThan(1000)
    expect(server.hasDatagrams()).toBe(false)
    expect(client.transport.datagramSend(new Uint8Array(largest).fill(7))).toBe(true)
    expect(client.transport.datagramSend(new Uint8Array(70_000))).toBe(false)
    move()
    expect(server.hasDatagrams()).toBe(true)
    expect(server.transport.datagramReceive()).toEqual(new Uint8Array(largest).fill(7))
    expect(server.transport.datagramReceive()).toBeNull()
  })
})

interface Pair {
  readonly client: Endpoint
  readonly server: Endpoint
  run(): void
}

function h3Over(fixture: TransportFixture): Pair {
  const config = { enableDatagrams: true, enableConnectProtocol: true }
  const client = new Endpoint(fixture.client.transport, 'client', fixture.client, config)
  const server = new Endpoint(fixture.server.transport, 'server', fixture.server, config)
  let busy = false
  for (const [endpoint, side] of [[client, fixture.client], [server, fixture.server]] as const) {
    side.listen((event) => {
      busy = true
      endpoint.h3.onStreamEvent(event)
      endpoint.poll()
    })
  }
  const run = (): void => {
    for (let rounds = 0, quiet = 0; quiet < 2; rounds++) {
      if (rounds > 1000) throw new Error('the pair does not come to rest')
      busy = false
      fixture.move()
      busy ||= fixture.client.events.length + fixture.server.events.length > 0
      client.step()
      server.step()
      quiet = busy ? 0 : quiet + 1
    }
  }
  client.h3.start()
  server.h3.start()
  run()
  return { client, server, run }
}

function sendAll(pair: Pair, from: Endpoint, id: number, text: string, fin: boolean): void {
  let rest = ascii(text)
  for (let round = 0; ; round++) {
    expect(round).toBeLessThan(1000)
    const accepted = from.h3.sendBody(id, rest, fin)
    expect(accepted).toBeGreaterThanOrEqual(0)
    if (accepted === rest.length) return
    rest = rest.subarray(accepted)
    pair.run()
  }
}

const POST: readonly Header[] = [[':method', 'POST'], ...GET.slice(1)]
const text = (length: number): string => Array.from({ length }, (_, i) => String.fromCharCode(97 + ((i * 7 + (i >> 8)) % 26))).join('')

describe.each(transports)('HTTP/3 over %s', (_, make) => {
  it('settings both ways', () => {
    const { client, server } = h3Over(make())
    expect([client.of('settings').length, server.of('settings').length]).toEqual([1, 1])
  })
  it.each([0, 1, 65_536, 300_000])('a body of %i bytes there and back, with trailers', (length) => {
    const pair = h3Over(make({ sendBuffer: 50_000 }))
    const { client, server, run } = pair
    const id = client.h3.sendRequest([...POST, ['content-length', String(length)]], false)
    sendAll(pair, client, id, text(length), false)
    client.h3.sendHeaders(id, [['x-sum', 'a']], { fin: true, trailers: true })
    run()
    expect(server.body(id) === text(length)).toBe(true)
    expect(server.story(id).filter((e) => e !== 'data')).toEqual(['headers', 'trailers', 'finished'])
    server.h3.sendHeaders(id, [[':status', '103'], ['link', '</a>']], { fin: false, informational: true })
    server.h3.sendHeaders(id, OK, { fin: false })
    sendAll(pair, server, id, text(length), true)
    run()
    expect(client.body(id) === text(length)).toBe(true)
    expect(client.story(id).filter((e) => e !== 'data' && e !== 'writable')).toEqual(['informational', 'headers', 'finished'])
    expect(client.h3.openRequests() + server.h3.openRequests()).toBe(0)
  })
  it('many requests at once, and more than the stream limit allows', () => {
    const { client, server, run } = h3Over(make({ streams: 60 }))
    const ids: number[] = []
    for (let i = 0; i < 70; i++) {
      const id = client.h3.sendRequest([...GET, ['x-number', String(i)]], true)
      if (id === -1) break
      ids.push(id)
    }
    expect(ids.length).toBe(60)
    run()
    expect(server.of('headers').length).toBe(60)
    for (const id of ids) {
      server.h3.sendHeaders(id, OK, { fin: false })
      server.h3.sendBody(id, ascii(`answer ${id}`), true)
    }
    run()
    for (const id of ids) expect(client.body(id)).toBe(`answer ${id}`)
    expect(client.h3.openRequests() + server.h3.openRequests()).toBe(0)
  })
  it('a reset in the middle of a body is an error to the reader, never an end (§4.1)', () => {
    const { client, server, run } = h3Over(make())
    const id = client.h3.sendRequest(GET, true)
    run()
    server.h3.sendHeaders(id, [...OK, ['content-length', '10']], { fin: false })
    server.h3.sendBody(id, ascii('half'), false)
    run()
    server.h3.reset(id, 0x102)
    run()
    expect(client.story(id)).toEqual(['headers', 'data', 'reset'])
    expect(client.of('reset')[0]).toMatchObject({ code: 0x102, retryable: false })
    expect(client.h3.openRequests() + server.h3.openRequests()).toBe(0)
  })
  it('an early answer: STOP_SENDING with H3_NO_ERROR, and the response is whole (§4.1)', () => {
    const { client, server, run } = h3Over(make())
    const id = client.h3.sendRequest(POST, false)
    client.h3.sendBody(id, ascii('much more to come'), false)
    run()
    server.h3.stop(id, 0x100)
    server.h3.sendHeaders(id, [[':status', '413']], { fin: true })
    run()
    expect(client.of('stopped')).toEqual([{ kind: 'stopped', streamId: id, code: 0x100 }])
    expect(client.story(id).filter((e) => e !== 'stopped')).toEqual(['headers', 'finished'])
    expect(client.h3.openRequests() + server.h3.openRequests()).toBe(0)
  })
  it('a request that crosses GOAWAY may be sent again elsewhere (§5.2)', () => {
    const { client, server, run } = h3Over(make())
    server.h3.sendGoaway()
    const id = client.h3.sendRequest(POST, true)
    run()
    expect(server.of('headers')).toEqual([])
    expect(client.of('reset')).toEqual([{ kind: 'reset', streamId: id, code: 0x10b, retryable: true }])
    expect(client.h3.openRequests() + server.h3.openRequests()).toBe(0)
  })
  it('datagrams and a tunnel of extended CONNECT (RFC 9220, RFC 9297)', () => {
    const { client, server, run } = h3Over(make())
    const id = client.h3.sendRequest([[':method', 'CONNECT'], ...GET.slice(1), [':protocol', 'connect-udp'], ['capsule-protocol', '?1']], false)
    // They may overtake the request: the server keeps them.
    expect(client.h3.sendDatagram(id, ascii('first'))).toBe(true)
    run()
    expect(String.fromCharCode(...server.h3.receiveDatagram()!.payload)).toBe('first')
    server.h3.sendHeaders(id, [...OK, ['capsule-protocol', '?1']], { fin: false })
    expect(server.h3.sendDatagram(id, ascii('second'))).toBe(true)
    server.h3.sendBody(id, ascii('tunnelled'), false)
    run()
    expect(String.fromCharCode(...client.h3.receiveDatagram()!.payload)).toBe('second')
    expect(client.body(id)).toBe('tunnelled')
    client.h3.sendBody(id, new Uint8Array(0), true)
    server.h3.sendBody(id, new Uint8Array(0), true)
    run()
    expect(client.story(id).at(-1)).toBe('finished')
    expect(client.h3.openRequests() + server.h3.openRequests()).toBe(0)
  })
  /** A client with a response whose last section waits for the encoder stream; `go` sends what it waits for. */
  function waiting(what: 'headers' | 'trailers'): { client: Endpoint; id: number; field: Header; raw: H3Transport; run(): void; go(): void } {
    const fixture = make()
    const raw = fixture.server.transport
    const client = new Endpoint(fixture.client.transport, 'client', fixture.client, {})
    fixture.client.listen((event) => {
      client.h3.onStreamEvent(event)
      client.poll()
    })
    const run = (): void => {
      for (let i = 0; i < 3; i++) {
        fixture.move()
        client.step()
      }
    }
    client.h3.start()
    const id = client.h3.sendRequest(GET, true)
    run()
    expect(readAll(fixture.server, id).length).toBeGreaterThan(0)
    raw.streamWrite(raw.openStream(false), Uint8Array.of(0, ...frame(0x04, [])), false)
    const encoder = new QpackEncoder()
    encoder.applySettings(16_384, 100)
    const field: Header = ['x-custom', 'a value of its own']
    const plain = frame(0x01, [...new QpackEncoder().encode(id, OK)])
    const section = frame(0x01, [...encoder.encode(id, what === 'headers' ? [...OK, field] : [field])])
    const instructions = encoder.takeInstructions()!
    raw.streamWrite(id, Uint8Array.from(what === 'headers' ? section : [...plain, ...section]), true)
    run()
    expect(client.h3.qpackCounters().blockedStreams).toBe(1)
    expect(client.story(id)).toEqual(what === 'headers' ? [] : ['headers'])
    const go = (): void => {
      raw.streamWrite(raw.openStream(false), Uint8Array.of(...varint(2), ...instructions), false)
      run()
    }
    return { client, id, field, raw, run, go }
  }
  it.each(['headers', 'trailers'] as const)('%s that end a response and wait for QPACK outlive their stream (RFC 9204 §2.2.1)', (what) => {
    const { client, id, field, go } = waiting(what)
    go()
    expect(client.of('headers').at(-1)).toMatchObject({ headers: what === 'headers' ? [...OK, field] : [field], moreFrames: false })
    expect(client.story(id)).toEqual(what === 'headers' ? ['headers', 'finished'] : ['headers', 'trailers', 'finished'])
    expect(client.h3.openRequests()).toBe(0)
  })
  it('and can be given up meanwhile, by us or by GOAWAY', () => {
    const stopped = waiting('headers')
    stopped.client.h3.setPriority(stopped.id, 1, false)
    expect([stopped.client.h3.isSendable(stopped.id), stopped.client.h3.readBody(stopped.id, 10)]).toEqual([false, null])
    stopped.client.h3.stop(stopped.id, 0x10c)
    const refused = waiting('trailers')
    // On the control stream, which was the first to be opened.
    refused.raw.streamWrite(3, Uint8Array.from(frame(0x07, [0])), false)
    refused.run()
    for (const { client, id, go } of [stopped, refused]) {
      expect(client.h3.openRequests()).toBe(0)
      expect(client.h3.qpackCounters().blockedStreams).toBe(0)
      go()
      expect(client.story(id)).toEqual(client === stopped.client ? [] : ['headers', 'reset'])
      expect(client.of('connection-error')).toEqual([])
    }
  })
  it('a malformed message ends its stream, a broken rule the connection', () => {
    const { client, server, run } = h3Over(make())
    const id = client.transport.openStream(true)
    client.transport.streamWrite(id, Uint8Array.of(0x01, 0x02, 0, 0), true)
    run()
    expect(server.of('stream-error')).toMatchObject([{ streamId: id, code: 0x10e }])
    const next = client.transport.openStream(true)
    client.transport.streamWrite(next, Uint8Array.of(0x00, 0x01, 0), true)
    run()
    expect(server.of('connection-error')).toMatchObject([{ code: 0x105 }])
  })
})
