// Cutting CRYPTO bytes into messages, bounded. RFC 9846 §4; RFC 9000 §7.5.

import { describe, expect, it } from 'vitest'
import { EncryptionLevel } from '../../src/wire/constants.ts'
import { MAX_MESSAGE, MessageReader } from '../../src/tls/message-reader.ts'
import { reframe } from './handshake.ts'

describe('MessageReader', () => {
  it('gives messages when complete, per level, in order', () => {
    const reader = new MessageReader()
    const a = reframe(1, Uint8Array.of(1, 2, 3))
    const b = reframe(20, Uint8Array.of(4))
    reader.push(EncryptionLevel.handshake, b)
    for (const byte of a) {
      expect(reader.next(EncryptionLevel.initial)).toBeNull()
      reader.push(EncryptionLevel.initial, Uint8Array.of(byte))
    }
    expect(reader.next(EncryptionLevel.initial)).toEqual({ type: 1, bytes: a, body: Uint8Array.of(1, 2, 3) })
    expect(reader.next(EncryptionLevel.initial)).toBeNull()
    expect(reader.pending(EncryptionLevel.initial)).toBe(0)
    expect(reader.pending(EncryptionLevel.handshake)).toBe(b.length)
    expect(reader.next(EncryptionLevel.handshake)?.type).toBe(20)
  })

  it('takes a body of 64 KiB and refuses a longer one before it arrives, with decode_error', () => {
    const reader = new MessageReader()
    reader.push(EncryptionLevel.handshake, reframe(11, new Uint8Array(MAX_MESSAGE)))
    expect(reader.next(EncryptionLevel.handshake)?.body.length).toBe(MAX_MESSAGE)
    reader.push(EncryptionLevel.handshake, Uint8Array.of(11, 1, 0, 1))
    expect(() => reader.next(EncryptionLevel.handshake)).toThrow(expect.objectContaining({ wireCode: 0x100 + 50 }))
  })

  it('bounds what waits unread, with CRYPTO_BUFFER_EXCEEDED', () => {
    const reader = new MessageReader()
    const piece = new Uint8Array(MAX_MESSAGE)
    reader.push(EncryptionLevel.application, piece)
    reader.push(EncryptionLevel.application, piece)
    expect(() => reader.push(EncryptionLevel.application, piece)).toThrow(expect.objectContaining({ wireCode: 0x0d }))
  })
})
