/** QPACK error codes (RFC 9204 §6). All of them are connection errors of HTTP/3. */
export const QpackErrorCode = {
  decompressionFailed: 0x200,
  encoderStreamError: 0x201,
  decoderStreamError: 0x202,
} as const

export type QpackErrorCode = (typeof QpackErrorCode)[keyof typeof QpackErrorCode]

function errorName(wireCode: QpackErrorCode): string {
  switch (wireCode) {
    case QpackErrorCode.decompressionFailed:
      return 'QPACK_DECOMPRESSION_FAILED'
    case QpackErrorCode.encoderStreamError:
      return 'QPACK_ENCODER_STREAM_ERROR'
    case QpackErrorCode.decoderStreamError:
      return 'QPACK_DECODER_STREAM_ERROR'
  }
}

/** The only error that bytes from the peer can raise. */
export class QpackError extends Error {
  override readonly name: string = 'QpackError'
  readonly wireCode: QpackErrorCode
  /** The standard's name, such as `QPACK_DECOMPRESSION_FAILED`. */
  readonly code: string

  constructor(wireCode: QpackErrorCode, message: string) {
    super(message)
    this.wireCode = wireCode
    this.code = errorName(wireCode)
  }
}

/** A field to encode has a character above U+00FF: names and values are octets, one per character. */
export class FieldCharacterError extends Error {
  override readonly name: string = 'FieldCharacterError'
  readonly code: string = 'QPACK_NOT_LATIN1'

  constructor() {
    super('field names and values are latin1 strings: a character above U+00FF cannot be sent')
  }
}
