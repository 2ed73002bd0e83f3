// Sizes of the chunks a body is read in. There is no receive buffer here that could have a floor: a chunk has the memory of its bytes.

import { describe, expect, it } from 'vitest'
import { BodyChunks } from '../../src/h3/body-chunks.ts'
import { DEFAULT_MAX_RECV_BODY_BUF_SIZE, resolveHttp3Settings } from '../../src/settings/http3-settings.ts'

/** A stream with so many bytes to read, in views of at most 1200, as packets bring them. */
function stream(readable: number): { readBody(id: number, maximum: number): Uint8Array | null } {
  let left = readable
  return {
    readBody(_id, maximum) {
      if (left === 0) return null
      const length = Math.min(left, maximum, 1200)
      left -= length
      return new Uint8Array(length)
    },
  }
}

/** The first chunk's length, -1 for none; and that of the memory it holds. */
function sized(readable: number, cap: number): { length: number; memory: number } {
  const chunk = new BodyChunks(cap).read(stream(readable), 0)
  return chunk === null ? { length: -1, memory: 0 } : { length: chunk.length, memory: chunk.buffer.byteLength }
}

const CAP = 65_536

describe('body_recv_buf_size', () => {
  it('[1] zero_readable_uses_floor: nothing readable takes no memory (fixed: no floor)', () => {
    expect(sized(0, CAP)).toEqual({ length: -1, memory: 0 })
  })

  it('[2] small_readable_uses_floor: a small chunk has the memory of its bytes (fixed: no floor)', () => {
    expect(sized(10, CAP)).toEqual({ length: 10, memory: 10 })
    expect(sized(1024, CAP)).toEqual({ length: 1024, memory: 1024 })
  })

  it('[3] readable_above_floor_tracks_size: what is readable is one chunk', () => {
    expect(sized(1524, CAP)).toEqual({ length: 1524, memory: 1524 })
  })

  it('[4] large_readable_caps_at_max: never more than the setting', () => {
    for (const readable of [CAP, CAP + 1, 10 * CAP]) expect(sized(readable, CAP)).toEqual({ length: CAP, memory: CAP })
  })

  it('[5] respects_configured_max: whatever it is', () => {
    expect(sized(65_536, 4096).length).toBe(4096)
    expect(sized(2048, 4096).length).toBe(2048)
    expect(sized(131_072, 262_144).length).toBe(131_072)
  })

  it('[6] cap_below_floor_wins: a small maximum holds for every chunk', () => {
    expect(sized(0, 512).length).toBe(-1)
    expect(sized(10, 512).length).toBe(10)
    expect(sized(65_536, 512).length).toBe(512)
  })

  it('[7] default_cap_is_16kib: without a setting', () => {
    expect(sized(65_536, DEFAULT_MAX_RECV_BODY_BUF_SIZE).length).toBe(16_384)
  })

  it('[8] zero_configured_max_recv_body_buf_size_falls_back_to_default: and so does none', () => {
    const capOf = (maxRecvBodyBufSize?: number): number => resolveHttp3Settings({ maxRecvBodyBufSize }).maxRecvBodyBufSize
    expect([capOf(), capOf(0), capOf(512), capOf(65_536)]).toEqual([16_384, 16_384, 512, 65_536])
  })
})
