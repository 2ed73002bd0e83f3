// The Range header, RFC 9110 §14: one byte range. What the section allows to ignore (other units, several ranges,
// bad syntax) is ignored and the whole file is sent.

/** Half-open [start, end). */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** Null: send everything. 'unsatisfiable': answer 416. */
export function parseByteRange(header: string | null, size: number): ByteRange | 'unsatisfiable' | null {
  if (header === null) return null
  const match = /^bytes[ \t]*=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header)
  if (match === null) return null
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return null
  if (first === '') {
    // RFC 9110 §14.1.2: a suffix longer than the file means all of it; of length 0 it cannot be satisfied.
    const suffix = Number(last)
    if (suffix === 0 || size === 0) return 'unsatisfiable'
    return { start: Math.max(0, size - suffix), end: size }
  }
  const start = Number(first)
  if (last !== '' && Number(last) < start) return null
  if (start >= size) return 'unsatisfiable'
  return { start, end: last === '' ? size : Math.min(size, Number(last) + 1) }
}
