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

/** A cookie shorter than this can be guessed one try at a time; longer ones are worth indexing (RFC 9204 §7.1.3). */
const GUESSABLE_COOKIE = 20

/** RFC 9204 §7.1.3: values that must never enter a compression context, here or at an intermediary: credentials and short cookies. */
export function isSensitive(name: string, value: string): boolean {
  switch (name.length) {
    case 6:
      return value.length < GUESSABLE_COOKIE && value !== '' && name === 'cookie'
    case 13:
      return value !== '' && name === 'authorization'
    case 19:
      return value !== '' && name === 'proxy-authorization'
    default:
      return false
  }
}
