/** Octets to strings, one character per octet. TextDecoder has no such encoding: its 'latin1' is windows-1252. */

const SLICE = 4096

export function latin1(buffer: Uint8Array, start: number, end: number): string {
  const length = end - start
  if (length === 0) return ''
  if (length <= SLICE) return String.fromCharCode.apply(null, buffer.subarray(start, end) as unknown as number[])
  let text = ''
  for (let from = start; from < end; from += SLICE) text += latin1(buffer, from, Math.min(end, from + SLICE))
  return text
}
