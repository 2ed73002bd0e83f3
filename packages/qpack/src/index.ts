/** @quicwire/qpack: field compression for HTTP/3 (RFC 9204). Sans-IO. */
export { QpackDecoder } from './decoder.ts'
export type { QpackDecoderOptions } from './decoder.ts'
export { QpackEncoder } from './encoder.ts'
export { FieldCharacterError, QpackError, QpackErrorCode } from './errors.ts'
export { FIELD_LINE_OVERHEAD, fieldSectionSize } from './fields.ts'
export type { FieldLine } from './fields.ts'
export type { FieldSection } from './field-section.ts'
export { STATIC_TABLE } from './static-table.ts'
