import { QpackEncoder } from '@quicwire/qpack'
import { describe, expect, it } from 'vitest'
import { BLOCKED_SECTIONS_OF_FULL_SIZE } from '../../src/blocked.ts'
import type { Header } from '../../src/index.ts'
import { GET, Lab, OK, dataFrame, frame, h3Pair, varint } from '../h3-pair.ts'
import type { Pair } from '../h3-pair.ts'
import { LocalStreams } from '../../src/streams/local-streams.ts'
import { transportPair } from '../transport-pair.ts'

const REQUEST: readonly Header[] = [...GET, ['user-agent', 'an agent with a rather long name'], ['x-custom', 'a value of its own']]
const RESPONSE: readonly Header[] = [...OK, ['server', 'a server with a rather long name'], ['x-served', 'by something']]
/** SETTINGS_QPACK_MAX_TABLE_CAPACITY 4096, SETTINGS_QPACK_BLOCKED_STREAMS 4. */
const OFFER = [...varint(1), ...varint(4096), ...varint(7), ...varint(4)]

/** A server under test, and the encoder of its hand-written client. */
class QpackLab {
  readonly lab: Lab
  readonly encoder = new QpackEncoder()
  readonly encoderStream: number

  constructor(config: ConstructorParameters<typeof Lab>[1] = {}) {
    this.lab = new Lab('server', config, OFFER)
    this.encoder.applySettings(config?.qpackMaxTableCapacity ?? 16_384, config?.qpackBlockedStreams ?? 100)
    this.encoderStream = this.lab.uni([0x02])
  }
  /** Sends a request's section; the instructions it needs are handed back. */
  request(fields: readonly Header[], fin = true): { id: number; instructions: number[] } {
    const id = this.lab.raw.openStream(true)
    const section = [...this.encoder.encode(id, fields)]
    this.lab.write(id, frame(0x01, section), fin)
    return { id, instructions: [...(this.encoder.takeInstructions() ?? [])] }
  }
  /** What the server has said on its decoder stream, stream type excluded. */
  decoderStream(): number[] {
    return [...(this.lab.raw.streams.get(11)?.in.chunks ?? [])].flatMap((chunk) => [...chunk]).slice(1)
  }
}

function exchange(pair: Pair, fields: readonly Header[]): number {
  const id = pair.client.h3.sendRequest(fields, true)
  pair.run()
  pair.server.h3.sendHeaders(id, RESPONSE, { fin: true })
  pair.run()
  return id
}

describe('dynamic tables between two endpoints (RFC 9204)', () => {
  it('are in use both ways, and everything is acknowledged', () => {
    const pair = h3Pair()
    for (let i = 0; i < 5; i += 1) {
      const id = exchange(pair, REQUEST)
      expect(pair.server.of('headers').at(-1)).toMatchObject({ streamId: id, headers: REQUEST })
      expect(pair.client.of('headers').at(-1)).toMatchObject({ streamId: id, headers: RESPONSE })
    }
    const client = pair.client.h3.qpackCounters()
    const server = pair.server.h3.qpackCounters()
    expect(client.encoderInserts).toBeGreaterThan(2)
    expect(server.encoderInserts).toBeGreaterThan(1)
    expect(client.encoderInsertsReceived).toBe(client.encoderInserts)
    expect([server.decoderInserts, client.decoderInserts]).toEqual([client.encoderInserts, server.encoderInserts])
    expect(pair.client.of('connection-error')).toEqual([])
  })
  it.each<[string, object, object]>([
    ['the server offers no table', {}, { qpackMaxTableCapacity: 0, qpackBlockedStreams: 0 }],
    ['the client wants none', { qpackEncoderTableCapacity: 0 }, {}],
  ])('static only: %s', (_, client, server) => {
    const pair = h3Pair(client, server)
    for (let i = 0; i < 3; i += 1) exchange(pair, REQUEST)
    expect(pair.client.h3.qpackCounters().encoderInserts).toBe(0)
    expect(pair.server.h3.qpackCounters().encoderInserts).toBeGreaterThan(0)
    // §3.2.3: not a byte but the stream type.
    const encoderStream = pair.server.transport.streams.get(6)!
    expect(encoderStream.in.size).toBe(0)
    expect(pair.client.of('connection-error')).toEqual([])
  })
  it('bytes in pieces of one', () => {
    const pair = h3Pair()
    for (let i = 0; i < 3; i += 1) {
      const id = pair.client.h3.sendRequest(REQUEST, true)
      pair.run(1)
      expect(pair.server.of('headers').at(-1)).toMatchObject({ streamId: id, headers: REQUEST })
    }
  })
  it('no insertion before the encoder stream is open, nor without room on it (§2.1.3)', () => {
    const pair = h3Pair({}, {}, false)
    pair.client.transport.limits.uni = 1
    pair.client.h3.start()
    pair.server.h3.start()
    pair.run()
    exchange(pair, REQUEST)
    expect(pair.client.h3.qpackCounters().encoderInserts).toBe(0)
    pair.client.transport.raise('uni', 10)
    pair.run()
    exchange(pair, REQUEST)
    expect(pair.client.h3.qpackCounters().encoderInserts).toBeGreaterThan(0)
    const narrow = h3Pair()
    narrow.client.transport.bufferLimit = 20
    exchange(narrow, REQUEST)
    expect(narrow.client.h3.qpackCounters().encoderInserts).toBe(0)
  })
  it('never-indexed fields are reported, and can be asked for (§7.1.3)', () => {
    const pair = h3Pair()
    const own: Header = ['x-own', 'secret']
    const headers: readonly Header[] = [...GET, ['authorization', 'Bearer x'], own]
    for (let i = 0; i < 4; i += 1) pair.client.h3.sendRequest(headers, true, [own])
    pair.run()
    for (const event of pair.server.of('headers')) expect(event.neverIndexed.map(([name]) => name)).toEqual(['authorization', 'x-own'])
    pair.server.h3.sendHeaders(0, [...OK, own], { fin: true, neverIndexed: [own] })
    pair.run()
    expect(pair.client.of('headers')[0]?.neverIndexed).toEqual([own])
  })
})

describe('blocked sections (RFC 9204 §2.2.1)', () => {
  it('wait for the encoder stream, with everything behind them, and go on in order', () => {
    const qpack = new QpackLab()
    const { lab } = qpack
    const first = qpack.request(REQUEST, false)
    lab.write(first.id, dataFrame('body'), true)
    const second = qpack.request(REQUEST)
    lab.run()
    expect(lab.subject.events.filter((event) => event.kind === 'headers')).toEqual([])
    expect(lab.subject.h3.qpackCounters().blockedStreams).toBe(2)
    // The type has gone out; the instructions, byte by byte.
    lab.write(qpack.encoderStream, [...first.instructions, ...second.instructions])
    lab.run(1)
    expect(lab.subject.of('headers').map((event) => event.streamId)).toEqual([first.id, second.id])
    expect(lab.subject.of('headers')[0]?.headers).toEqual(REQUEST)
    expect(lab.subject.body(first.id)).toBe('body')
    expect(lab.subject.story(first.id)).toEqual(['headers', 'data', 'finished'])
    expect(lab.subject.story(second.id)).toEqual(['headers', 'finished'])
    expect(lab.outcome()).toBe('ok')
    // Section Acknowledgments in that order, which imply the insertions.
    qpack.encoder.onDecoderStream(Uint8Array.from(qpack.decoderStream()))
    expect([qpack.encoder.outstandingSections, qpack.encoder.knownReceivedCount]).toEqual([0, qpack.encoder.insertCount])
  })
  it('trailers block as well', () => {
    const qpack = new QpackLab()
    const { lab } = qpack
    const { id, instructions } = qpack.request(REQUEST, false)
    lab.write(qpack.encoderStream, instructions)
    const trailers: readonly Header[] = [['x-checksum', 'something that was not seen before']]
    const section = [...qpack.encoder.encode(id, trailers)]
    lab.write(id, [...dataFrame('body'), ...frame(0x01, section)], true)
    lab.run()
    expect(lab.subject.story(id)).toEqual(['headers', 'data'])
    lab.write(qpack.encoderStream, [...qpack.encoder.takeInstructions()!])
    lab.run()
    expect(lab.subject.story(id)).toEqual(['headers', 'data', 'trailers', 'finished'])
  })
  it('what is wrong with a section that was blocked ends its stream only', () => {
    const qpack = new QpackLab()
    const { lab } = qpack
    const bad = qpack.request([[':method', 'GET'], ['x-custom', 'a value of its own']])
    const good = qpack.request(REQUEST)
    lab.run()
    lab.write(qpack.encoderStream, [...bad.instructions, ...good.instructions])
    lab.run()
    expect(lab.subject.of('stream-error').map((event) => event.streamId)).toEqual([bad.id])
    expect(lab.subject.story(good.id)).toEqual(['headers', 'finished'])
    expect(lab.subject.of('connection-error')).toEqual([])
  })
  it('more than announced is QPACK_DECOMPRESSION_FAILED (§2.1.2)', () => {
    const qpack = new QpackLab({ qpackBlockedStreams: 2 })
    const section = frame(0x01, [0x02, 0x00, 0x80])
    for (let i = 0; i < 3; i += 1) {
      expect(qpack.lab.outcome()).toBe('ok')
      qpack.lab.write(qpack.lab.raw.openStream(true), section)
      qpack.lab.run()
    }
    expect(qpack.lab.outcome()).toBe('connection 0x200')
  })
  it('are bounded in bytes', () => {
    const lab = new Lab('server', { maxFieldSectionSize: 1000 }, OFFER)
    const section = frame(0x01, [0x02, 0x00, 0x80, ...Array.from({ length: 897 }, () => 0xd1)])
    for (let i = 0; i * 900 <= BLOCKED_SECTIONS_OF_FULL_SIZE * 1000; i += 1) {
      expect(lab.outcome()).toBe('ok')
      lab.write(lab.raw.openStream(true), section)
      lab.run()
    }
    expect(lab.outcome()).toBe('connection 0x107')
  })
})

describe('Stream Cancellation (RFC 9204 §2.2.2.2, §4.4.2)', () => {
  it.each<[string, (qpack: QpackLab, id: number) => void]>([
    ['reset by the peer', (qpack, id) => qpack.lab.raw.streamReset(id, 0x10c)],
    ['stopped by the application', (qpack, id) => qpack.lab.subject.h3.stop(id, 0x10c)],
  ])('a blocked request is %s', (_, end) => {
    const qpack = new QpackLab()
    const { lab } = qpack
    const { id, instructions } = qpack.request(REQUEST)
    lab.run()
    expect(lab.subject.h3.qpackCounters().blockedStreams).toBe(1)
    // A fin has been sent, so the reset is on a stream of its own.
    const other = qpack.request(REQUEST, false)
    lab.run()
    end(qpack, other.id)
    lab.run()
    expect(lab.subject.h3.qpackCounters().blockedStreams).toBe(1)
    qpack.encoder.onDecoderStream(Uint8Array.from(qpack.decoderStream()))
    expect([qpack.encoder.outstandingSections, qpack.encoder.knownReceivedCount]).toEqual([1, 0])
    lab.write(qpack.encoderStream, [...instructions, ...other.instructions])
    lab.run()
    expect(lab.subject.of('headers').map((event) => event.streamId)).toEqual([id])
    expect(lab.outcome()).toBe('ok')
  })
  it('a request whose body is not wanted, and one refused after GOAWAY', () => {
    const qpack = new QpackLab()
    const { lab } = qpack
    const { id, instructions } = qpack.request(REQUEST, false)
    lab.write(qpack.encoderStream, instructions)
    lab.run()
    lab.subject.h3.stop(id, 0x100)
    lab.subject.h3.sendGoaway()
    const refused = qpack.request(REQUEST)
    lab.run()
    expect(lab.subject.of('headers').map((event) => event.streamId)).toEqual([id])
    // §4.4.2: 0 1 stream(6+), once each, after the acknowledgment of what was read.
    expect(qpack.decoderStream().filter((byte) => byte >= 0x40)).toEqual([0x80 | id, 0x40 | id, 0x40 | refused.id])
    qpack.encoder.onDecoderStream(Uint8Array.from(qpack.decoderStream()))
    expect(qpack.encoder.outstandingSections).toBe(0)
  })
  it('none for a request that was read to its end, none without a table', () => {
    const qpack = new QpackLab()
    const { id, instructions } = qpack.request(REQUEST)
    qpack.lab.write(qpack.encoderStream, instructions)
    qpack.lab.run()
    expect(qpack.decoderStream().filter((byte) => (byte & 0xc0) === 0x40)).toEqual([])
    expect(qpack.lab.subject.story(id)).toEqual(['headers', 'finished'])
    const lab = new Lab('server', { qpackMaxTableCapacity: 0, qpackBlockedStreams: 0 }, OFFER)
    const stream = lab.request()
    lab.write(stream, frame(0x01, [...new QpackEncoder().encode(0, GET)]))
    lab.run()
    lab.raw.streamReset(stream, 0x10c)
    lab.run()
    expect(lab.raw.streams.get(11)?.in.size).toBe(1)
  })
})

describe('errors of the QPACK streams (RFC 9204 §6)', () => {
  it.each<[string, number]>([
    ['encoder', 0x02],
    ['decoder', 0x03],
  ])('a second QPACK %s stream is H3_STREAM_CREATION_ERROR (§4.2)', (_, type) => {
    const lab = new Lab('server', {}, OFFER)
    lab.uni([type])
    lab.run()
    expect(lab.outcome()).toBe('ok')
    lab.uni([type])
    lab.run()
    expect(lab.outcome()).toBe('connection 0x103')
  })
  it.each<[string, string, number, number[]]>([
    ['encoder stream: capacity above the maximum (§4.3.1)', 'connection 0x201', 0x02, [0x3f, 0xff, 0xff, 0x7f]],
    ['encoder stream: duplicate of nothing', 'connection 0x201', 0x02, [0x3f, 0x01, 0x00]],
    ['decoder stream: acknowledgment of nothing (§4.4.1)', 'connection 0x202', 0x03, [0x80]],
    ['decoder stream: Insert Count Increment 0 (§4.4.3)', 'connection 0x202', 0x03, [0x00]],
    ['decoder stream: Insert Count Increment beyond what was sent', 'connection 0x202', 0x03, [0x01]],
    ['decoder stream: cancellation of anything is fine (§4.4.2)', 'ok', 0x03, [0x44]],
  ])('%s', (_, outcome, type, bytes) => {
    for (const piece of [1, 1000]) {
      const lab = new Lab('server', {}, OFFER)
      lab.uni([type, ...bytes])
      lab.run(piece)
      expect(lab.outcome()).toBe(outcome)
    }
  })
  it('a section that cannot be decoded is a connection error, an integer too long only the stream\'s (§7.4)', () => {
    const broken = new Lab('server', {}, OFFER)
    broken.write(broken.request(), frame(0x01, [0x00, 0x00, 0x80]))
    broken.run()
    expect(broken.outcome()).toBe('connection 0x200')
    const long = new Lab('server', {}, OFFER)
    long.write(long.request(), frame(0x01, [0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]))
    long.run()
    expect(long.outcome()).toBe('stream 0x200')
    expect(long.subject.of('connection-error')).toEqual([])
  })
  it('a decoder stream that is not read does not grow for ever (§7.3)', () => {
    const { client } = transportPair()
    const local = new LocalStreams(client, null)
    local.start([])
    client.bufferLimit = 0
    const instructions = new Uint8Array(1000)
    for (let i = 0; i < 65; i += 1) local.sendDecoder(instructions)
    expect(() => local.sendDecoder(instructions)).toThrow(expect.objectContaining({ code: 'H3_EXCESSIVE_LOAD', scope: 'connection' }))
  })
})

describe('settings for 0-RTT (RFC 9204 §3.2.3)', () => {
  it.each<[string, object]>([
    ['nothing remembered', {}],
    ['a table remembered', { rememberedSettings: [[1, 16_384], [7, 100], [6, 32_768]] }],
  ])('no instruction before SETTINGS, %s', (_, config) => {
    const pair = h3Pair(config, {}, false)
    pair.client.h3.start()
    pair.client.h3.sendRequest(REQUEST, true)
    expect(pair.client.h3.qpackCounters().encoderInserts).toBe(0)
    pair.server.h3.start()
    pair.run()
    expect(pair.server.of('headers')[0]?.headers).toEqual(REQUEST)
    exchange(pair, REQUEST)
    expect(pair.client.h3.qpackCounters().encoderInserts).toBeGreaterThan(0)
    expect(pair.client.of('connection-error')).toEqual([])
  })
})
