/** Octets to strings, one character per octet. TextDecoder has no such encoding: its 'latin1' is windows-1252. */

/** Up to here a call of fromCharCode is the cheapest; above it TextDecoder is, where all octets are ASCII. */
const SHORT = 48
const SLICE = 4096

/** One argument list per length: filled and applied, so that a short string costs nothing but itself. */
const LISTS: number[][] = /* @__PURE__ */ Array.from({ length: SHORT + 1 }, (_, length) => new Array<number>(length).fill(0))

const ASCII = /* @__PURE__ */ new TextDecoder()

export function latin1(buffer: Uint8Array, start: number, end: number): string {
  const length = end - start
  if (length <= 3) {
    if (length === 0) return ''
    if (length === 1) return String.fromCharCode(buffer[start]!)
    if (length === 2) return String.fromCharCode(buffer[start]!, buffer[start + 1]!)
    return String.fromCharCode(buffer[start]!, buffer[start + 1]!, buffer[start + 2]!)
  }
  if (length > SHORT) return long(buffer, start, end)
  const list = LISTS[length]!
  for (let i = 0; i < length; i += 1) list[i] = buffer[start + i]!
  return String.fromCharCode.apply(null, list)
}

function long(buffer: Uint8Array, start: number, end: number): string {
  let high = 0
  for (let i = start; i < end; i += 1) high |= buffer[i]!
  if (high < 0x80) return ASCII.decode(buffer.subarray(start, end))
  let text = ''
  for (let from = start; from < end; from += SLICE) {
    text += String.fromCharCode.apply(null, buffer.subarray(from, Math.min(end, from + SLICE)) as unknown as number[])
  }
  return text
}
