import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SettingId, acceptsEarlyData, decodeRememberedSettings, encodeRememberedSettings, settingsToRemember } from '../../src/index.ts'
import type { H3Config, Setting } from '../../src/index.ts'
import { GET, Lab, frame, h3Pair, stateError, varint } from '../h3-pair.ts'

const { qpackMaxTableCapacity, maxFieldSectionSize, qpackBlockedStreams, enableConnectProtocol, h3Datagram } = SettingId

describe('settings remembered for 0-RTT (RFC 9114 §7.2.4.2)', () => {
  const cases: [string, string, Setting[], Setting[]][] = [
    ['the same', 'ok', [[maxFieldSectionSize, 100], [enableConnectProtocol, 1]], [[enableConnectProtocol, 1], [maxFieldSectionSize, 100]]],
    ['more', 'ok', [[maxFieldSectionSize, 100], [qpackBlockedStreams, 1]], [[maxFieldSectionSize, 101], [qpackBlockedStreams, 2], [h3Datagram, 1]]],
    ['a smaller field section', 'connection 0x109', [[maxFieldSectionSize, 100]], [[maxFieldSectionSize, 99]]],
    ['the field section left out', 'connection 0x109', [[maxFieldSectionSize, 100]], []],
    ['a field section that was unlimited', 'connection 0x109', [], [[maxFieldSectionSize, 100]]],
    ['fewer blocked streams', 'connection 0x109', [[qpackBlockedStreams, 16]], [[qpackBlockedStreams, 15]]],
    ['blocked streams left out', 'connection 0x109', [[qpackBlockedStreams, 16]], []],
    ['RFC 8441 §3 extended CONNECT from 1 to 0', 'connection 0x109', [[enableConnectProtocol, 1]], [[enableConnectProtocol, 0]]],
    ['RFC 8441 §3 extended CONNECT left out', 'connection 0x109', [[enableConnectProtocol, 1]], []],
    ['RFC 9297 §2.1.1 datagrams from 1 to 0', 'connection 0x109', [[h3Datagram, 1]], [[h3Datagram, 0]]],
    ['RFC 9204 §3.2.3 a smaller table', 'connection 0x202', [[qpackMaxTableCapacity, 100]], [[qpackMaxTableCapacity, 99]]],
    ['RFC 9204 §3.2.3 a larger table', 'connection 0x202', [[qpackMaxTableCapacity, 100]], [[qpackMaxTableCapacity, 101]]],
    ['RFC 9204 §3.2.3 the table left out', 'connection 0x202', [[qpackMaxTableCapacity, 100]], []],
    ['RFC 9204 §3.2.3 a table where there was none', 'ok', [], [[qpackMaxTableCapacity, 100]]],
    ['values no number holds', 'ok', [[maxFieldSectionSize, 2n ** 61n]], [[maxFieldSectionSize, 2n ** 61n + 1n]]],
  ]
  it.each(cases)('%s: a client answers %s', (_, outcome, rememberedSettings, now) => {
    const lab = new Lab('client', { rememberedSettings }, null)
    const payload = now.flatMap(([id, value]) => [...varint(Number(id)), ...(typeof value === 'number' ? varint(value) : big(value))])
    lab.uni([0, ...frame(4, payload)])
    lab.run()
    expect(lab.outcome()).toBe(outcome)
    // A server that would have to send them does not accept early data.
    expect(acceptsEarlyData(rememberedSettings, now)).toBe(outcome === 'ok')
  })
  it('hold until the real ones come, and not longer', () => {
    const rememberedSettings: Setting[] = [[maxFieldSectionSize, 200], [enableConnectProtocol, 1]]
    const { client, server, run } = h3Pair({ rememberedSettings }, { maxFieldSectionSize: 500, enableConnectProtocol: true }, false)
    client.h3.start()
    expect(client.h3.peerSettings()).toBeNull()
    expect(client.h3.peerSetting(maxFieldSectionSize)).toBe(200)
    expect(stateError(() => client.h3.sendRequest([...GET, ['x', 'y'.repeat(200)]], true))).toBe('H3_FIELD_SECTION_TOO_LARGE')
    server.h3.start()
    run()
    expect(client.h3.peerSetting(maxFieldSectionSize)).toBe(500)
    expect(client.h3.sendRequest([...GET, ['x', 'y'.repeat(200)]], true)).toBe(0)
  })
  it('bind nobody when the server has rejected 0-RTT', () => {
    const { client, server, run } = h3Pair({ rememberedSettings: [[maxFieldSectionSize, 200], [enableConnectProtocol, 1]] }, {}, false)
    client.h3.start()
    expect(client.h3.sendRequest(GET, true)).toBe(0)
    client.h3.onEarlyDataRejected()
    expect(client.h3.peerSetting(enableConnectProtocol)).toBe(-1)
    server.h3.start()
    run()
    expect(client.of('connection-error')).toEqual([])
    // What was sent is sent again by the transport.
    expect(server.story(0)).toEqual(['headers', 'finished'])
  })
  it('without them nothing is checked: 0-RTT was not used', () => {
    const { client } = h3Pair({}, { maxFieldSectionSize: 100 })
    expect(client.of('connection-error')).toEqual([])
  })
  it('what a server sent is what its client remembers, without what means nothing', () => {
    const config: H3Config = { enableConnectProtocol: true, additionalSettings: [[0x4040, 7]] }
    const { client, server } = h3Pair({}, config)
    const sent = server.h3.localSettings()
    expect(settingsToRemember(client.h3.peerSettings()!)).toEqual([
      [maxFieldSectionSize, 32768],
      [qpackMaxTableCapacity, 16384],
      [qpackBlockedStreams, 100],
      [enableConnectProtocol, 1],
      [0x4040, 7],
    ])
    expect(settingsToRemember(sent)).toEqual(settingsToRemember(client.h3.peerSettings()!))
    const ticket = encodeRememberedSettings(sent)
    expect(acceptsEarlyData(decodeRememberedSettings(ticket), h3Pair({}, config).server.h3.localSettings())).toBe(true)
  })
  it('settings this package does not know must be the same for a server to accept', () => {
    expect(acceptsEarlyData([[0x4040, 7]], [[0x4040, 7]])).toBe(true)
    expect(acceptsEarlyData([[0x4040, 7]], [[0x4040, 8]])).toBe(false)
    expect(acceptsEarlyData([[0x4040, 7]], [])).toBe(false)
    expect(acceptsEarlyData([], [[0x4040, 7]])).toBe(false)
    expect(acceptsEarlyData([[0x21, 7]], [])).toBe(true)
    expect(acceptsEarlyData(null, [])).toBe(false)
  })
  it('go through bytes; bytes that are none are refused', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.bigInt({ min: 2n ** 53n, max: 2n ** 62n - 1n }))), (settings) => {
        expect(decodeRememberedSettings(encodeRememberedSettings(settings))).toEqual(settingsToRemember(settings))
      }),
    )
    expect(decodeRememberedSettings(Uint8Array.of(6))).toBeNull()
    expect(decodeRememberedSettings(Uint8Array.of(0x40))).toBeNull()
    expect(decodeRememberedSettings(Uint8Array.of(6, 0x40))).toBeNull()
    expect(decodeRememberedSettings(new Uint8Array(0))).toEqual([])
  })
})

function big(value: bigint): number[] {
  const bytes = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(56 - 8 * i)) & 0xffn))
  bytes[0]! |= 0xc0
  return bytes
}
