// PEM (RFC 7468): the first block with one of the wanted labels, in a text that may hold other blocks and explanations.

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const BLOCK = /-----BEGIN ([^-\r\n]*)-----((?:(?!-----)[^])*)-----END ([^-\r\n]*)-----/g

export interface PemBlock {
  readonly label: string
  /** Null: the body is not plain base64 (encrypted blocks carry headers, for one). */
  readonly der: Uint8Array<ArrayBuffer> | null
  readonly body: string
}

export function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = []
  for (const [, label = '', body = '', end = ''] of text.matchAll(BLOCK)) {
    if (label === end) blocks.push({ label, der: fromBase64(body), body })
  }
  return blocks
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | null {
  const digits = text.replace(/\s+/g, '').replace(/={1,2}$/, '')
  if (digits.length % 4 === 1) return null
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4))
  let bits = 0
  let value = 0
  let position = 0
  for (const digit of digits) {
    const six = BASE64.indexOf(digit)
    if (six < 0) return null
    value = ((value << 6) | six) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[position++] = value >>> bits
    }
  }
  return bytes
}
