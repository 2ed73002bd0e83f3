// IP addresses in text (RFC 4291 §2.2), as names and URLs write them.

/** The address bytes (4 or 16) of an IP literal, with or without brackets; null: not an IP literal. */
export function parseIpAddress(text: string): Uint8Array | null {
  const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text
  return bare.includes(':') ? parseIpv6(bare) : parseIpv4(bare)
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split('.')
  if (parts.length !== 4) return null
  const address = new Uint8Array(4)
  for (let i = 0; i < 4; i++) {
    const part = parts[i]!
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return null
    address[i] = Number(part)
  }
  return address
}

function parseIpv6(text: string): Uint8Array | null {
  // A zone (fe80::1%eth0) is local to this machine and in no certificate.
  const [bare = ''] = text.split('%', 1)
  const halves = bare.split('::')
  if (halves.length > 2) return null
  const head = parseGroups(halves[0]!, halves.length === 1)
  const tail = halves.length === 2 ? parseGroups(halves[1]!, true) : []
  if (head === null || tail === null) return null
  const length = head.length + tail.length
  if (halves.length === 2 ? length > 14 : length !== 16) return null
  const address = new Uint8Array(16)
  address.set(head, 0)
  address.set(tail, 16 - tail.length)
  return address
}

/** Bytes of colon-separated groups; at the end of the address the last may be dotted. */
function parseGroups(text: string, atEnd: boolean): number[] | null {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (let i = 0; i < groups.length; i++) {
    const group = groups[i]!
    if (group.includes('.')) {
      const dotted = atEnd && i === groups.length - 1 ? parseIpv4(group) : null
      if (dotted === null) return null
      bytes.push(...dotted)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return null
      const value = Number.parseInt(group, 16)
      bytes.push(value >>> 8, value & 0xff)
    }
  }
  return bytes
}

/** The text of 4 or 16 address bytes, IPv6 in the canonical form of RFC 5952 without brackets: the form that Node gives addresses. */
export function formatIpAddress(address: Uint8Array): string {
  if (address.length === 4) return address.join('.')
  const groups: number[] = []
  for (let i = 0; i < 16; i += 2) groups.push((address[i]! << 8) | address[i + 1]!)
  // RFC 5952 §4.2: the longest run of two or more zero groups, the first of equals.
  let start = -1
  let length = 1
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && groups[end] === 0) end++
    if (end - i > length) {
      start = i
      length = end - i
    }
  }
  const text = (from: number, to: number): string => groups.slice(from, to).map((group) => group.toString(16)).join(':')
  return start < 0 ? text(0, 8) : `${text(0, start)}::${text(start + length, 8)}`
}
