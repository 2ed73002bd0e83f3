// IP addresses and prefixes as bytes: 4 for IPv4, 16 for IPv6, in network order.

import { isIPv4, isIPv6 } from 'node:net'

export type IpVersion = 4 | 6

/** Addresses whose first `length` bits are those of `address`. */
export interface IpPrefix {
  readonly address: Uint8Array
  /** Bits, 0 to 32 or 128. */
  readonly length: number
}

export function versionOf(address: Uint8Array): IpVersion {
  return address.length === 4 ? 4 : 6
}

/** Null when the text is no address. Zone identifiers are none. */
export function parseAddress(text: string): Uint8Array | null {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number)
  if (!isIPv6(text) || text.includes('%')) return null
  const [head = '', tail] = text.split('::')
  const front = groups(head)
  const back = tail === undefined ? [] : groups(tail)
  const bytes = new Uint8Array(16)
  bytes.set(front)
  bytes.set(back, 16 - back.length)
  return bytes
}

/** Bytes of `a:b:1.2.3.4`, checked before. */
function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >> 8, value & 0xff]
  })
}

/** RFC 5952 for IPv6, but for embedded IPv4 addresses, which are written in hexadecimal. */
export function formatAddress(address: Uint8Array): string {
  if (address.length === 4) return address.join('.')
  const words: number[] = []
  for (let i = 0; i < 16; i += 2) words.push((address[i]! << 8) | address[i + 1]!)
  let best = -1
  let bestLength = 1
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && words[end] === 0) end++
    if (end - i > bestLength) {
      best = i
      bestLength = end - i
    }
    if (end > i) i = end
  }
  const text = (from: number, to: number): string => words.slice(from, to).map((word) => word.toString(16)).join(':')
  return best < 0 ? text(0, 8) : `${text(0, best)}::${text(best + bestLength, 8)}`
}

/** `192.0.2.0/24`, or an address alone for a prefix of all its bits. Null when it is none or has bits beyond its length. */
export function parsePrefix(text: string): IpPrefix | null {
  const slash = text.indexOf('/')
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash))
  if (address === null) return null
  if (slash < 0) return { address, length: address.length * 8 }
  const digits = text.slice(slash + 1)
  if (!/^[0-9]{1,3}$/.test(digits)) return null
  const prefix = { address, length: Number(digits) }
  return isPrefix(prefix) ? prefix : null
}

export function formatPrefix({ address, length }: IpPrefix): string {
  return `${formatAddress(address)}/${length}`
}

/** The length fits the address, and the bits beyond it are zero. */
export function isPrefix({ address, length }: IpPrefix): boolean {
  if (!Number.isInteger(length) || length < 0 || length > address.length * 8) return false
  for (let i = 0; i < address.length; i++) {
    const bits = Math.min(8, Math.max(0, length - i * 8))
    if ((address[i]! & (0xff >> bits)) !== 0) return false
  }
  return true
}

export function prefixContains({ address, length }: IpPrefix, candidate: Uint8Array): boolean {
  if (candidate.length !== address.length) return false
  const whole = length >> 3
  for (let i = 0; i < whole; i++) if (candidate[i] !== address[i]) return false
  const rest = length & 7
  return rest === 0 || ((candidate[whole]! ^ address[whole]!) >> (8 - rest)) === 0
}

/** Below 0, 0 or above 0, for addresses of one version. */
export function compareAddresses(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return 0
}

export function isUnspecified(address: Uint8Array): boolean {
  return address.every((byte) => byte === 0)
}

