// The id in front of an HTTP Datagram (RFC 9297 §2.1).

import { describe, expect, it } from 'vitest'
import { H3Error } from '@quicwire/h3'
import { encodeDatagram, parseDatagram } from '../../../h3/src/datagram/quarter-stream-id.ts'

describe('datagram ids', () => {
  it('[45] h3_dgram_add_quarter_stream_id_enough_headroom: two bytes from 64 on', () => {
    expect([...encodeDatagram(4 * 67, Uint8Array.of(0xaa, 0xbb, 0xcc))]).toEqual([64, 67, 0xaa, 0xbb, 0xcc])
  })

  it('[46] h3_dgram_add_quarter_stream_id_need_more_headroom: one byte below', () => {
    expect([...encodeDatagram(4 * 42, Uint8Array.of(1, 2))]).toEqual([42, 1, 2])
  })

  it('[47] h3_dgram_remove_quarter_stream_id_tests: and back', () => {
    const { streamId, payload } = parseDatagram(encodeDatagram(4 * 67, Uint8Array.of(1, 2, 3, 4)))
    expect([streamId / 4, ...payload]).toEqual([67, 1, 2, 3, 4])
  })

  it('[48] h3_dgram_remove_quarter_stream_id_non_minimal_varint: longer encodings count', () => {
    const { streamId, payload } = parseDatagram(Uint8Array.of(0x40, 0, 1, 2, 3, 4))
    expect([streamId, ...payload]).toEqual([0, 1, 2, 3, 4])
  })

  it('[49] remove_quarter_stream_id_empty_buffer_errors: H3_DATAGRAM_ERROR', () => {
    expect(() => parseDatagram(new Uint8Array(0))).toThrow(H3Error)
    expect(() => parseDatagram(new Uint8Array(0))).toThrow(/Quarter Stream ID/)
  })
})
