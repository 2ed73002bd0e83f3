import { describe, expect, it } from 'vitest'
import { SettingId } from '../../src/index.ts'
import { GET, Lab, frame, h3Pair, headersFrame, stateError, varint } from '../h3-pair.ts'

const LONG = frame(0x4242, Array.from({ length: 9000 }, () => 1))

/** 2^62 - 1 */
const LARGEST = Array.from({ length: 8 }, () => 0xff)

describe('SETTINGS (RFC 9114 §7.2.4)', () => {
  it('go out first and arrive as one event', () => {
    const additionalSettings = [[0x4040, 7], [2n ** 60n, 2n ** 61n]] as const
    const { client, server } = h3Pair({ maxFieldSectionSize: 5000, additionalSettings }, { enableConnectProtocol: true, grease: false })
    expect(server.of('settings').length).toBe(1)
    expect(server.h3.peerSetting(SettingId.maxFieldSectionSize)).toBe(5000)
    expect(server.h3.peerSetting(0x4040)).toBe(7)
    expect(server.h3.peerSetting(2n ** 60n)).toBe(2n ** 61n)
    expect(client.h3.peerSettings()).toEqual([
      [SettingId.maxFieldSectionSize, 32768],
      [SettingId.qpackMaxTableCapacity, 16384],
      [SettingId.qpackBlockedStreams, 100],
      [SettingId.enableConnectProtocol, 1],
    ])
    expect(client.h3.peerSetting(0x99)).toBe(-1)
  })
  it.each<[string, string, number[]]>([
    ['§7.2.4.1 reserved 0x0', 'connection 0x109', [0, 0]],
    ['§7.2.4.1 reserved 0x2', 'connection 0x109', [2, 0]],
    ['§7.2.4.1 reserved 0x3', 'connection 0x109', [3, 0]],
    ['§7.2.4.1 reserved 0x4', 'connection 0x109', [4, 0]],
    ['§7.2.4.1 reserved 0x5', 'connection 0x109', [5, 0]],
    ['§7.2.4 twice', 'connection 0x109', [6, 1, 6, 1]],
    ['§7.2.4 twice, unknown', 'connection 0x109', [0x21, 1, 6, 1, 0x40, 0x21, 1]],
    ['RFC 8441 §3 ENABLE_CONNECT_PROTOCOL = 2', 'connection 0x109', [8, 2]],
    ['RFC 9297 §2.1.1 H3_DATAGRAM = 2', 'connection 0x109', [0x33, 2]],
    ['§7.1 ends after an identifier', 'connection 0x106', [6]],
    ['§7.1 ends inside a value', 'connection 0x106', [6, 0x40]],
    ['fine: more of the table and of blocking than a number holds', 'ok', [1, ...LARGEST, 7, ...LARGEST]],
    ['fine: unknown and reserved ones', 'ok', [0x21, 5, 0x40, 0x40, 0xc0, 0, 0, 0, 0, 0, 0, 1]],
    ['fine: empty', 'ok', []],
  ])('%s', (_, outcome, payload) => {
    for (const piece of [1, 1 << 20]) {
      const lab = new Lab('server', {}, null)
      lab.uni([0, ...frame(4, payload)])
      lab.run(piece)
      expect(lab.outcome()).toBe(outcome)
    }
  })
  it('too long to be true', () => {
    const lab = new Lab('server', {}, null)
    lab.uni([0, 4, ...varint(100_000)])
    lab.run()
    expect(lab.outcome()).toBe('connection 0x107')
  })
})

describe('control stream (RFC 9114 §6.2.1)', () => {
  it.each<[string, string, number[]]>([
    ['GOAWAY first', 'connection 0x10a', frame(7, [0])],
    ['reserved frame first', 'connection 0x10a', frame(0x21, [])],
    ['DATA first', 'connection 0x10a', frame(0, [])],
  ])('%s', (_, outcome, bytes) => {
    const lab = new Lab('server', {}, null)
    lab.uni([0, ...bytes])
    lab.run()
    expect(lab.outcome()).toBe(outcome)
  })
  it.each<[string, 'client' | 'server', string, number[]]>([
    ['§7.2.4 second SETTINGS', 'server', 'connection 0x105', frame(4, [])],
    ['§7.2.1 DATA', 'server', 'connection 0x105', frame(0, [1])],
    ['§7.2.2 HEADERS', 'server', 'connection 0x105', frame(1, [0])],
    ['§7.2.5 PUSH_PROMISE', 'client', 'connection 0x105', frame(5, [0])],
    ['§7.2.8 HTTP/2 PING', 'server', 'connection 0x105', frame(6, [])],
    ['§7.2.7 MAX_PUSH_ID to a client', 'client', 'connection 0x105', frame(0xd, [1])],
    ['§7.2.7 MAX_PUSH_ID goes down', 'server', 'connection 0x108', [...frame(0xd, [5]), ...frame(0xd, [4])]],
    ['§7.2.3 CANCEL_PUSH to a server', 'server', 'connection 0x108', frame(3, [0])],
    ['§7.2.3 CANCEL_PUSH to a client', 'client', 'connection 0x108', frame(3, [0])],
    ['§7.1 GOAWAY empty', 'client', 'connection 0x106', frame(7, [])],
    ['§7.1 GOAWAY too long', 'client', 'connection 0x106', frame(7, [0, 0])],
    ['§7.1 GOAWAY cut', 'client', 'connection 0x106', frame(7, [0x40])],
    ['§7.1 GOAWAY of nine bytes', 'client', 'connection 0x106', frame(7, [0, 0, 0, 0, 0, 0, 0, 0, 0])],
    ['§7.1 CANCEL_PUSH empty', 'client', 'connection 0x106', frame(3, [])],
    ['§7.1 CANCEL_PUSH too long', 'server', 'connection 0x106', frame(3, [0, 0])],
    ['§7.1 MAX_PUSH_ID empty', 'server', 'connection 0x106', frame(0xd, [])],
    ['§7.1 MAX_PUSH_ID too long', 'server', 'connection 0x106', frame(0xd, [0, 0])],
    ['§7.1 MAX_PUSH_ID cut', 'server', 'connection 0x106', frame(0xd, [0x80, 0, 0])],
    ['§7.2.6 GOAWAY with no request id', 'client', 'connection 0x108', frame(7, [1])],
    ['§5.2 GOAWAY goes up', 'client', 'connection 0x108', [...frame(7, [4]), ...frame(7, [8])]],
    ['§5.2 GOAWAY goes up, to a server', 'server', 'connection 0x108', [...frame(7, [1]), ...frame(7, [2])]],
    ['RFC 9218 §7.2 PRIORITY_UPDATE to a client', 'client', 'connection 0x105', frame(0xf0700, [0])],
    ['RFC 9218 §7.2 for a unidirectional stream', 'server', 'connection 0x108', frame(0xf0700, [2])],
    ['RFC 9218 §7.2 beyond every limit', 'server', 'connection 0x108', frame(0xf0700, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc])],
    ['RFC 9218 §7.2 for a push', 'server', 'connection 0x108', frame(0xf0701, [0])],
    ['RFC 9218 §7.2 without an id', 'server', 'connection 0x106', frame(0xf0700, [])],
    ['RFC 9218 §7.2 with an id cut short', 'server', 'connection 0x106', frame(0xf0700, [0x40])],
    ['RFC 9218 §7.2 for a push, without an id', 'server', 'connection 0x106', frame(0xf0701, [])],
    ['fine: MAX_PUSH_ID', 'server', 'ok', [...frame(0xd, [5]), ...frame(0xd, [5]), ...frame(0xd, [9])]],
    ['fine: reserved and unknown frames (§7.2.8, §9)', 'server', 'ok', [...frame(0x21, [1, 2]), ...LONG, ...frame(0x40, [])]],
  ])('%s', (_, role, outcome, bytes) => {
    for (const piece of [1, 1 << 20]) {
      const lab = new Lab(role)
      lab.write(lab.control, bytes)
      lab.run(piece)
      expect(lab.outcome()).toBe(outcome)
    }
  })
  it.each(['control', 'QPACK encoder', 'QPACK decoder'] as const)('the %s stream is critical (§6.2.1, RFC 9204 §4.2)', (which) => {
    const type = { control: 0, 'QPACK encoder': 2, 'QPACK decoder': 3 }[which]
    const open = (lab: Lab): number => (type === 0 ? lab.control : lab.uni([type]))
    for (const how of ['end', 'reset', 'stop'] as const) {
      const lab = new Lab('server')
      let id = open(lab)
      lab.run()
      if (how === 'end') lab.write(id, [], true)
      else if (how === 'reset') lab.raw.streamReset(id, 0x100)
      else {
        // Ours: control, encoder, decoder are opened in this order.
        id = { control: 3, 'QPACK encoder': 7, 'QPACK decoder': 11 }[which]
        lab.raw.streamStop(id, 0x100)
      }
      lab.run()
      expect([how, lab.outcome()]).toEqual([how, 'connection 0x104'])
    }
  })
  it('an error is the last word', () => {
    const lab = new Lab('server')
    lab.write(lab.control, frame(4, []))
    lab.run()
    const id = lab.request()
    lab.write(id, headersFrame(GET), true)
    lab.run()
    expect(lab.subject.events.at(-1)).toMatchObject({ kind: 'connection-error', code: 0x105 })
    expect(stateError(() => lab.subject.h3.sendGoaway())).toBe('nothing thrown')
    expect(lab.subject.h3.sendBody(id, new Uint8Array(1), false)).toBe(-1)
  })
})

describe('unidirectional streams (RFC 9114 §6.2)', () => {
  it.each<[string, 'client' | 'server', string, number[][]]>([
    ['§6.2.1 second control stream', 'server', 'connection 0x103', [[0]]],
    ['RFC 9204 §4.2 second encoder stream', 'server', 'connection 0x103', [[2], [2]]],
    ['RFC 9204 §4.2 second decoder stream', 'server', 'connection 0x103', [[3], [3]]],
    ['§6.2.2 push stream from a client', 'server', 'connection 0x103', [[1]]],
    ['§4.6 push stream without MAX_PUSH_ID', 'client', 'connection 0x108', [[1, 0]]],
    ['RFC 9204 §4.3 insertion at capacity 0', 'server', 'connection 0x201', [[2, 0xc0]]],
    ['RFC 9204 §4.4 acknowledgment of nothing', 'server', 'connection 0x202', [[3, 0x84]]],
    ['fine: capacity 0, cancellation', 'server', 'ok', [[2, 0x20], [3, 0x48]]],
  ])('%s', (_, role, outcome, streams) => {
    const lab = new Lab(role)
    for (const bytes of streams) lab.uni(bytes)
    lab.run(1)
    expect(lab.outcome()).toBe(outcome)
  })
  it('unknown types are stopped and forgotten, however their type is cut (§6.2)', () => {
    const lab = new Lab('server')
    const ids = [lab.uni([0x21, 1, 2, 3]), lab.uni([0x40, 0x54, 9]), lab.uni(varint(2 ** 50))]
    lab.run(1)
    for (const id of ids) expect(lab.raw.streams.get(id)!.stopCode).toBe(0x103)
    for (const id of ids) lab.write(id, [4, 5, 6], true)
    lab.run(1)
    expect(lab.outcome()).toBe('ok')
  })
  it('may end or be reset before their type has come (§6.2)', () => {
    const lab = new Lab('server')
    const ended = lab.uni([0x40])
    const reset = lab.uni([0xc0, 0])
    lab.run()
    lab.write(ended, [], true)
    lab.raw.streamReset(reset, 1)
    lab.write(lab.uni([]), [], true)
    lab.run()
    expect(lab.outcome()).toBe('ok')
  })
  it('a bidirectional stream from a server (§6.1)', () => {
    const lab = new Lab('client')
    lab.write(lab.raw.openStream(true), [0])
    lab.run()
    expect(lab.outcome()).toBe('connection 0x103')
  })
})

describe('opening our streams', () => {
  it('waits for the limit of the peer, control first', () => {
    const { client, server, run } = h3Pair({}, {}, false)
    client.transport.limits.uni = 0
    client.h3.start()
    server.h3.start()
    run()
    expect(server.of('settings')).toEqual([])
    // Requests do not depend on it.
    expect(client.h3.sendRequest(GET, true)).toBe(0)
    client.h3.setPriority(0, 1, false)
    client.transport.raise('uni', 1)
    run()
    expect(server.of('settings').length).toBe(1)
    expect(server.of('priority-update').length).toBe(1)
    client.transport.raise('uni', 100)
    run()
    expect(client.transport.opened.uni).toBe(4)
    expect(server.of('connection-error')).toEqual([])
  })
  it('announces requests that can be opened again', () => {
    const { client, run } = h3Pair()
    client.transport.limits.bidi = 1
    expect(client.h3.sendRequest(GET, true)).toBe(0)
    expect(client.h3.sendRequest(GET, true)).toBe(-1)
    client.transport.raise('bidi', 1)
    run()
    expect(client.of('requests-available').length).toBe(1)
    expect(client.h3.sendRequest(GET, true)).toBe(4)
  })
})

describe('GREASE (RFC 9114 §7.2.8, §6.2.3, §7.2.4.1)', () => {
  const reserved = (n: number): boolean => n >= 0x21 && (n - 0x21) % 0x1f === 0
  it('is sent as setting, frame and stream, and tolerated', () => {
    const { client, server, run } = h3Pair()
    expect(server.h3.peerSettings()!.some(([id]) => reserved(Number(id)))).toBe(true)
    expect(client.transport.opened.uni).toBe(4)
    const id = client.h3.sendRequest(GET, true)
    const first = client.transport.streams.get(id)!.out.chunks[0]!
    expect(first[0]! >>> 6).toBe(2) // the reserved frame goes before HEADERS, its type in four bytes
    run()
    expect(server.story(id)).toEqual(['headers', 'finished'])
  })
  it('varies with the random source and can be switched off', () => {
    let n = 0
    const random = { fill: (destination: Uint8Array) => destination.fill(n++ % 256) }
    const a = h3Pair({ random }).server.h3.peerSettings()!
    const b = h3Pair({ random }).server.h3.peerSettings()!
    expect(a).not.toEqual(b)
    const { server, client } = h3Pair({ grease: false })
    expect(server.h3.peerSettings()!.some(([id]) => reserved(Number(id)))).toBe(false)
    expect(client.transport.opened.uni).toBe(3)
  })
})
