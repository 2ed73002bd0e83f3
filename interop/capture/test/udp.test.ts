import { describe, expect, it } from 'vitest'
import { readUdpDatagram } from '../udp.ts'
import { ipPacket } from './ip-packet.ts'

const DATA = Uint8Array.of(1, 2, 3, 4)

describe('UDP in IP packets', () => {
  it('is read from IPv4 and IPv6, with the ECN field', () => {
    expect(readUdpDatagram(ipPacket('193.167.0.100:5000', '193.167.100.100:443', DATA, 2))).toEqual({
      ipVersion: 4,
      source: '193.167.0.100',
      sourcePort: 5000,
      destination: '193.167.100.100',
      destinationPort: 443,
      ecn: 2,
      payload: DATA,
    })
    expect(readUdpDatagram(ipPacket('[fd00:cafe:cafe::100]:5000', '[fd00:cafe:cafe:100::100]:443', DATA, 3))).toMatchObject({
      ipVersion: 6,
      source: 'fd00:cafe:cafe::100',
      destination: 'fd00:cafe:cafe:100::100',
      ecn: 3,
      payload: DATA,
    })
  })

  it('may have options, extension headers and padding around it', () => {
    const v4 = ipPacket('192.0.2.1:1', '192.0.2.2:2', DATA)
    const options = Uint8Array.of(...v4.subarray(0, 20), 1, 1, 1, 1, ...v4.subarray(20), 0, 0)
    options.set([0x46, 0, 0, v4.length + 4])
    expect(readUdpDatagram(options)).toMatchObject({ destinationPort: 2, payload: DATA })
    const v6 = ipPacket('[::1]:1', '[::2]:2', DATA)
    const extended = Uint8Array.of(...v6.subarray(0, 40), 17, 0, 1, 4, 0, 0, 0, 0, ...v6.subarray(40))
    extended[5]! += 8
    extended[6] = 60
    expect(readUdpDatagram(extended)).toMatchObject({ destinationPort: 2, payload: DATA })
  })

  it('is not found in other protocols, fragments and broken packets', () => {
    const packet = ipPacket('192.0.2.1:1', '192.0.2.2:2', DATA)
    const changed = (at: number, value: number): Uint8Array => packet.with(at, value)
    for (const bytes of [changed(9, 6), changed(6, 0x20), changed(7, 1), changed(0, 0x42), changed(0, 0x75), changed(25, 200), packet.subarray(0, 24), new Uint8Array(0)]) {
      expect(readUdpDatagram(bytes)).toBeNull()
    }
    const v6 = ipPacket('[::1]:1', '[::2]:2', DATA)
    expect(readUdpDatagram(v6.with(6, 44))).toBeNull()
    expect(readUdpDatagram(v6.with(6, 60).subarray(0, 44))).toBeNull()
    expect(readUdpDatagram(v6.subarray(0, 39))).toBeNull()
  })
})
