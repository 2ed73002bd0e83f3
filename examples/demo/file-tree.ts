// Makes the tree of files that the demo serves and fetches, and the list of what must come back.

import { createHash, type Hash } from 'node:crypto'
import { mkdirSync, writeFileSync, closeSync, openSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface ListedFile {
  readonly path: string
  readonly bytes: number
  readonly sha256: string
}

export interface FileClass {
  readonly name: string
  readonly files: readonly ListedFile[]
}

const PIECE = 1024 * 1024

/** A stream of bytes that never repeats: SHA-256 in counter mode is overkill, xorshift is not. */
class Bytes {
  private state: number

  constructor(seed: number) {
    this.state = seed | 1
  }

  take(length: number): Uint8Array {
    const words = new Uint32Array(Math.ceil(length / 4))
    let state = this.state
    for (let index = 0; index < words.length; index++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      words[index] = state
    }
    this.state = state
    return new Uint8Array(words.buffer, 0, length)
  }
}

function write(root: string, path: string, content: Uint8Array | string): ListedFile {
  const absolute = join(root, path)
  mkdirSync(dirname(absolute), { recursive: true })
  writeFileSync(absolute, content)
  const sha256 = createHash('sha256').update(content).digest('hex')
  return { path: `/${path.split('/').map(encodeURIComponent).join('/')}`, bytes: Buffer.byteLength(content), sha256 }
}

function writeLarge(root: string, path: string, bytes: number, source: Bytes): ListedFile {
  const hash: Hash = createHash('sha256')
  const file = openSync(join(root, path), 'w')
  for (let left = bytes; left > 0; left -= PIECE) {
    const piece = source.take(Math.min(PIECE, left))
    hash.update(piece)
    writeSync(file, piece)
  }
  closeSync(file)
  return { path: `/${path}`, bytes, sha256: hash.digest('hex') }
}

function page(number: number): string {
  const items = Array.from({ length: 20 }, (_, index) => `<li><a href="../small/${number * 20 + index}.txt">note ${number * 20 + index}</a></li>`)
  return `<!doctype html>\n<title>Page ${number}</title>\n<link rel="stylesheet" href="style.css">\n<ul>\n${items.join('\n')}\n</ul>\n`
}

/** `scale` 1 is the full tree with a file of 50 MB. */
export function makeFileTree(root: string, scale: number): FileClass[] {
  const source = new Bytes(20_210_527)
  const count = (number: number): number[] => Array.from({ length: Math.max(1, Math.round(number * scale)) }, (_, index) => index)
  const small = count(1000).map((number) => write(root, `small/${number}.txt`, `note ${number}\n${'quic wire '.repeat(number % 180)}\n`))
  const pages = count(60).map((number) => write(root, `pages/page ${number} & more.html`, page(number)))
  pages.push(write(root, 'pages/style.css', 'body { font-family: system-ui }\n'), write(root, 'pages/empty', ''))
  const images = count(100).map((number) => write(root, `images/${number}.webp`, source.take(20_000 + 397 * number)))
  const archives = count(8).map((number) => writeLarge(root, `archive-${number}.tar`, 1_000_000 + number * 12_345, source))
  const large = [writeLarge(root, 'large.bin', Math.round(50_000_000 * scale), source)]
  return [
    { name: 'small text', files: small },
    { name: 'pages', files: pages },
    { name: 'images', files: images },
    { name: 'archives', files: archives },
    { name: 'one large file', files: large },
  ]
}
