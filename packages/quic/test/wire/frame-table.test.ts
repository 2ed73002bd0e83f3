import { describe, expect, it } from 'vitest'
import { fromHex } from '../../src/base/bytes.ts'
import { PacketType } from '../../src/wire/constants.ts'
import {
  allowedAt,
  FRAME_TYPE_NOT_MINIMAL,
  FRAME_TYPE_TRUNCATED,
  frameName,
  isAckEliciting,
  isKnownFrame,
  isProbing,
  readFrameType,
} from '../../src/wire/frame-table.ts'
import { Reader } from '../../src/wire/reader.ts'

// RFC 9000 Table 3 as printed ('ih' of CONNECTION_CLOSE resolved by type), RFC 9221 §4, RESET_STREAM_AT §4,
// and draft-ietf-quic-ack-frequency §4, §5.
const PRINTED = `
0x00-0x00 PADDING              IH01 NP
0x01-0x01 PING                 IH01
0x02-0x03 ACK                  IH_1 NC
0x04-0x04 RESET_STREAM         __01
0x05-0x05 STOP_SENDING         __01
0x06-0x06 CRYPTO               IH_1
0x07-0x07 NEW_TOKEN            ___1
0x08-0x0f STREAM               __01 F
0x10-0x10 MAX_DATA             __01
0x11-0x11 MAX_STREAM_DATA      __01
0x12-0x13 MAX_STREAMS          __01
0x14-0x14 DATA_BLOCKED         __01
0x15-0x15 STREAM_DATA_BLOCKED  __01
0x16-0x17 STREAMS_BLOCKED      __01
0x18-0x18 NEW_CONNECTION_ID    __01 P
0x19-0x19 RETIRE_CONNECTION_ID __01
0x1a-0x1a PATH_CHALLENGE       __01 P
0x1b-0x1b PATH_RESPONSE        ___1 P
0x1c-0x1c CONNECTION_CLOSE     IH01 N
0x1d-0x1d CONNECTION_CLOSE     __01 N
0x1e-0x1e HANDSHAKE_DONE       ___1
0x1f-0x1f IMMEDIATE_ACK        ___1
0x24-0x24 RESET_STREAM_AT      __01
0x30-0x31 DATAGRAM             __01
0xaf-0xaf ACK_FREQUENCY        ___1
`

const printed = new Map<number, { name: string; packets: string; spec: string }>()
for (const line of PRINTED.trim().split('\n')) {
  const [range, name, packets, spec] = line.split(/\s+/)
  const [first, last] = range!.split('-').map(Number)
  for (let type = first!; type <= last!; type++) printed.set(type, { name: name!, packets: packets!, spec: spec ?? '' })
}

const COLUMNS = [
  [PacketType.initial, 'I'],
  [PacketType.handshake, 'H'],
  [PacketType.zeroRtt, '0'],
  [PacketType.oneRtt, '1'],
] as const

describe('frame table (RFC 9000 Table 3)', () => {
  it('says what is printed, for every type below 256 and some above', () => {
    for (const type of [...Array.from({ length: 256 }, (_, i) => i), 0x4000, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER]) {
      const row = printed.get(type)
      expect(isKnownFrame(type)).toBe(row !== undefined)
      expect(frameName(type)).toBe(row?.name ?? 'UNKNOWN')
      for (const [packetType, column] of COLUMNS) expect(allowedAt(type, packetType)).toBe(row?.packets.includes(column) ?? false)
      expect(allowedAt(type, PacketType.retry)).toBe(false)
      expect(allowedAt(type, PacketType.versionNegotiation)).toBe(false)
      expect(isAckEliciting(type)).toBe(row !== undefined && !row.spec.includes('N'))
      expect(isProbing(type)).toBe(row?.spec.includes('P') ?? false)
    }
  })
})

describe('readFrameType (RFC 9000 §12.4)', () => {
  const read = (hex: string): number => readFrameType(new Reader(fromHex(hex)))

  it('reads the shortest encoding and reports longer ones', () => {
    expect([read('01'), read('3f'), read('4040'), read('80004000')]).toEqual([1, 63, 64, 16384])
    expect([read('4001'), read('80000001'), read('c000000000000001'), read('c000000000004000')]).toEqual(
      new Array<number>(4).fill(FRAME_TYPE_NOT_MINIMAL),
    )
    expect(read('ffffffffffffffff')).toBe(Number.MAX_SAFE_INTEGER)
  })

  it('reports what is cut short', () => {
    expect([read(''), read('40'), read('800000'), read('c0000000000000')]).toEqual(new Array<number>(4).fill(FRAME_TYPE_TRUNCATED))
  })

  it('leaves the reader at the first field', () => {
    const reader = new Reader(fromHex('404055'))
    readFrameType(reader)
    expect(reader.u8()).toBe(0x55)
  })
})
