/** QPACK error codes (RFC 9204 §6). */
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

/** The only error that bytes from the peer can raise. A connection error, unless it is a `QpackLimitError` of a field section. */
export class QpackError extends Error {
  override readonly name: string = 'QpackError'
  readonly wireCode: QpackErrorCode
  /** The standard's name, such as `QPACK_DECOMPRESSION_FAILED`; of a `QpackLimitError`, the limit's. */
  readonly code: string

  constructor(wireCode: QpackErrorCode, message: string, code: string = errorName(wireCode)) {
    super(message)
    this.wireCode = wireCode
    this.code = code
  }
}

export type QpackLimit =
  | 'QPACK_FIELD_SECTION_TOO_LARGE' // maxFieldSectionSize
  | 'QPACK_TOO_MANY_FIELDS' // maxFields
  | 'QPACK_STRING_TOO_LONG' // maxStringLength in a section, the table's capacity on the encoder stream
  | 'QPACK_INTEGER_TOO_LONG' // more than 62 bits, or more than 9 continuation bytes

/**
 * A limit of ours, not a broken rule (RFC 9204 §7.4): in a field section it concerns that stream alone (the table is intact), on the encoder or
 * decoder stream the connection.
 */
export class QpackLimitError extends QpackError {
  override readonly name: string = 'QpackLimitError'
  declare readonly code: QpackLimit

  constructor(wireCode: QpackErrorCode, limit: QpackLimit, message: string) {
    super(wireCode, message, limit)
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
