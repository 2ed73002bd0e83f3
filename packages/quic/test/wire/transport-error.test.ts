import { describe, expect, it } from 'vitest'
import { FrameType, TransportErrorCode } from '../../src/wire/constants.ts'
import { TransportError, transportErrorName } from '../../src/wire/transport-error.ts'

describe('TransportError (RFC 9000 §20.1)', () => {
  it('every code has the RFC name', () => {
    for (const [key, code] of Object.entries(TransportErrorCode)) {
      expect(transportErrorName(code)).toBe(key.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase())
    }
  })

  it('carries code, frame type and reason', () => {
    const error = new TransportError(TransportErrorCode.frameEncodingError, FrameType.crypto, 'cut short')
    expect(error).toMatchObject({
      name: 'TransportError',
      code: 'QUIC_FRAME_ENCODING_ERROR',
      wireCode: 7,
      frameType: 6,
      reason: 'cut short',
      message: 'FRAME_ENCODING_ERROR: cut short',
    })
    expect(new TransportError(TransportErrorCode.cryptoError + 0x2a, 0, '').code).toBe('QUIC_CRYPTO_ERROR')
    expect(transportErrorName(0x200)).toBe('UNKNOWN_ERROR')
    expect(transportErrorName(0x12)).toBe('UNKNOWN_ERROR')
  })
})
