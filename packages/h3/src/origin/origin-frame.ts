import { H3ErrorCode, H3StateError, connectionError } from '../errors.ts'
import { encodeFrame } from '../wire/frame-writer.ts'
import { FrameType } from '../wire/frame-types.ts'

/** ORIGIN (RFC 9412, RFC 8336 §2.1): length-delimited ASCII origins. */

/** Largest payload read or made. ORIGIN is not critical (RFC 8336 §2.2): a larger one is skipped. */
export const MAX_ORIGIN_PAYLOAD = 16384

// RFC 6454 §6.2: scheme, host, port unless it is the default. A server's case-normalised name, an IPv4 or an IPv6 address.
const ASCII_ORIGIN = /^[a-z][a-z0-9+\-.]*:\/\/(?:[a-z0-9\-._~!$&'()*+,;=%]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?$/

export function isOrigin(text: string): boolean {
  const match = ASCII_ORIGIN.exec(text)
  return match !== null && (match[1] === undefined || Number(match[1]) <= 65535)
}

/**
 * The origins of the payload bytes[start, end); what is no origin is left out (RFC 8336 §2.2). Throws H3Error when an entry is cut short.
 */
export function parseOrigins(bytes: Uint8Array, start: number, end: number): string[] {
  const origins: string[] = []
  let position = start
  while (position < end) {
    const length = position + 2 > end ? Infinity : (bytes[position]! << 8) | bytes[position + 1]!
    position += 2
    if (position + length > end) throw connectionError(H3ErrorCode.frameError, 'ORIGIN ends inside an entry (RFC 9114 §7.1)')
    let origin = ''
    for (let i = position; i < position + length; i++) origin += String.fromCharCode(bytes[i]!)
    position += length
    if (isOrigin(origin)) origins.push(origin)
  }
  return origins
}

/** Throws H3StateError for what is no origin and for more than fits. */
export function encodeOrigins(origins: readonly string[]): Uint8Array<ArrayBuffer> {
  let size = 0
  for (const origin of origins) {
    if (!isOrigin(origin)) {
      const name = JSON.stringify(origin)
      throw new H3StateError('H3_INVALID_ORIGIN', `${name} is no ASCII origin such as https://example.com (RFC 6454 §6.2)`)
    }
    size += 2 + origin.length
  }
  if (size > MAX_ORIGIN_PAYLOAD) {
    throw new H3StateError('H3_INVALID_ORIGIN', `ORIGIN of ${size} bytes; send several of at most ${MAX_ORIGIN_PAYLOAD}`)
  }
  const payload = new Uint8Array(size)
  let position = 0
  for (const origin of origins) {
    payload[position] = origin.length >> 8
    payload[position + 1] = origin.length & 0xff
    position += 2
    for (let i = 0; i < origin.length; i++) payload[position + i] = origin.charCodeAt(i)
    position += origin.length
  }
  return encodeFrame(FrameType.origin, payload)
}
