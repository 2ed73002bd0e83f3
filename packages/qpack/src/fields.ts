/** A field line: latin1 strings, one character per octet. */
export type FieldLine = readonly [name: string, value: string]

/** What RFC 9114 §4.2.2 and RFC 9204 §3.2.1 count for every field line besides its octets. */
export const FIELD_LINE_OVERHEAD = 32

/** Size of a field section in bytes, uncompressed, as SETTINGS_MAX_FIELD_SECTION_SIZE counts it. */
export function fieldSectionSize(fields: readonly FieldLine[]): number {
  let size = 0
  for (const field of fields) size += field[0].length + field[1].length + FIELD_LINE_OVERHEAD
  return size
}

/**
 * RFC 9204 §7.1.3: values that must never enter a compression context, here or at an intermediary. Short cookies can be
 * guessed one try at a time; long ones are high-entropy and worth indexing.
 */
export function isSensitive(name: string, value: string): boolean {
  return name === 'authorization' || name === 'proxy-authorization' || (name === 'cookie' && value.length < 20)
}
