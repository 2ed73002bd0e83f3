import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { pcapHeader, pcapRecord } from '../../link/pcap.ts'
import { CaptureError, readPcap, type CapturedIpPacket } from '../pcap.ts'
import { ipPacket } from './ip-packet.ts'

const directory = mkdtempSync(join(tmpdir(), 'quicwire-pcap-'))
afterAll(() => rmSync(directory, { recursive: true }))

const PACKET = ipPacket('192.0.2.1:1000', '192.0.2.2:443', Uint8Array.of(1, 2, 3))

let files = 0

function read(...parts: readonly Uint8Array[]): CapturedIpPacket[] {
  const file = join(directory, `${(files += 1)}.pcap`)
  writeFileSync(file, Buffer.concat(parts))
  return [...readPcap(file)]
}

function header(magic: number, littleEndian: boolean, linkType: number): Uint8Array {
  const bytes = new Uint8Array(24)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, magic, littleEndian)
  view.setUint32(20, linkType, littleEndian)
  return bytes
}

function record(fraction: number, littleEndian: boolean, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + body.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, 1_700_000_000, littleEndian)
  view.setUint32(4, fraction, littleEndian)
  view.setUint32(8, body.length, littleEndian)
  view.setUint32(12, body.length, littleEndian)
  bytes.set(body, 16)
  return bytes
}

describe('reading pcap', () => {
  for (const littleEndian of [true, false]) {
    it(`takes micro- and nanoseconds, ${littleEndian ? 'little' : 'big'}-endian`, () => {
      const expected = [{ frame: 1, time: 1_700_000_000_250, bytes: PACKET }]
      expect(read(header(0xa1b2c3d4, littleEndian, 101), record(250_000, littleEndian, PACKET))).toEqual(expected)
      expect(read(header(0xa1b23c4d, littleEndian, 101), record(250_000_000, littleEndian, PACKET))).toEqual(expected)
    })
  }

  it('takes IP out of Ethernet and passes over the rest, which counts as frames', () => {
    const frame = (type: number, body: Uint8Array): Uint8Array => Uint8Array.of(...new Uint8Array(12), type >> 8, type & 0xff, ...body)
    const packets = read(header(0xa1b2c3d4, true, 1), record(0, true, frame(0x0806, PACKET)), record(0, true, frame(0x0800, PACKET)))
    expect(packets.map(({ frame: number, bytes }) => [number, [...bytes]])).toEqual([[2, [...PACKET]]])
  })

  it('reads what the link writes, over any number of chunks', () => {
    const packets = Array.from({ length: 3000 }, (_, i) => ipPacket('192.0.2.1:1000', '192.0.2.2:443', new Uint8Array(1200).fill(i)))
    const back = read(pcapHeader(), ...packets.map((packet, i) => pcapRecord(packet, 1_700_000_000, i * 0.125)))
    expect(back.length).toBe(3000)
    expect(back.every(({ frame, time, bytes }, i) => frame === i + 1 && time === 1_700_000_000_000 + i * 0.125 && Buffer.compare(bytes, packets[i]!) === 0)).toBe(true)
  })

  it('ends at a record that is cut short', () => {
    const whole = pcapRecord(PACKET, 1, 0)
    expect(read(pcapHeader(), whole, whole.subarray(0, 30)).length).toBe(1)
    expect(read(pcapHeader(), whole, whole.subarray(0, 7)).length).toBe(1)
    expect(read(pcapHeader())).toEqual([])
  })

  it('refuses what is no capture, or none of these', () => {
    expect(() => read(new Uint8Array(30))).toThrow(CaptureError)
    expect(() => read(new Uint8Array(3))).toThrow(/shorter than a pcap header/)
    expect(() => read(header(0xa1b2c3d4, true, 276))).toThrow(/link type 276/)
    expect(() => read(header(0xa1b2c3d4, true, 101), Uint8Array.of(...new Uint8Array(8), 0xff, 0xff, 0xff, 0x7f, ...new Uint8Array(4)))).toThrow(/frame 1 claims/)
    expect(() => [...readPcap(join(directory, 'none.pcap'))]).toThrow(expect.objectContaining({ code: 'CAPTURE_UNREADABLE' }))
  })
})
