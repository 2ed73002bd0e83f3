// Field sections of ten field lines, encoded and decoded: how many a second, and what garbage they leave.

import { QpackDecoder, QpackEncoder } from '@quicwire/qpack'
import type { FieldLine } from '@quicwire/qpack'
import { answer } from './child.ts'

const BLOCKS = 300_000
const WARM_UP = 60_000
const BATCH = 500

export interface QpackCost {
  readonly encodePerSecond: number
  readonly decodePerSecond: number
  /** JavaScript heap per section. */
  readonly encodeHeapBytes: number
  readonly decodeHeapBytes: number
  /** Bytes of section and instructions, on average. */
  readonly bytes: number
}

/** Requests of a browser to one site: eight field lines come back, the path is one of 64, an identifier never does. */
function requests(): FieldLine[][] {
  return Array.from({ length: 2048 }, (_, i): FieldLine[] => [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':authority', 'www.example.com'],
    [':path', `/static/scripts/module-${i % 64}.js`],
    ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36'],
    ['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    ['accept-encoding', 'gzip, deflate, br, zstd'],
    ['accept-language', 'en-US,en;q=0.9,de;q=0.8'],
    ['cookie', 'session=3f0b2a9c77d14e1f; consent=yes; theme=dark'],
    ['x-request-id', `${(i * 2654435761) >>> 0}-${i}`],
  ])
}

/** 20 to 60 octets each, and none comes back before 4096 sections are over. */
function fresh(): FieldLine[][] {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789-_/.=%ABCDEFGHIJKLMNOP'
  let state = 1
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (state >>> 8) % limit
  }
  const names = [':path', ':authority', 'user-agent', 'accept', 'referer', 'cookie', 'etag', 'date', 'content-type', 'x-id']
  return Array.from({ length: 4096 }, () =>
    names.map((name): FieldLine => {
      const octets = Uint8Array.from({ length: 20 + below(41) }, () => alphabet.charCodeAt(below(alphabet.length)))
      return [name, new TextDecoder().decode(octets)]
    }),
  )
}

interface Rate {
  readonly perSecond: number
  readonly heapBytes: number
}

function measure(step: (i: number) => void): Rate {
  for (let i = 0; i < WARM_UP; i += 1) step(i)
  let allocated = 0
  let heap = process.memoryUsage().heapUsed
  for (let i = 0; i < 40 * BATCH; ) {
    for (const end = i + BATCH; i < end; i += 1) step(i)
    const now = process.memoryUsage().heapUsed
    if (now > heap) allocated += now - heap
    heap = now
  }
  const begin = performance.now()
  for (let i = 0; i < BLOCKS; i += 1) step(i)
  return { perSecond: BLOCKS / ((performance.now() - begin) / 1000), heapBytes: allocated / (40 * BATCH) }
}

function cost(lists: FieldLine[][], capacity: number): QpackCost {
  const encoder = new QpackEncoder()
  encoder.applySettings(capacity, 100)
  let bytes = 0
  let sections = 0
  const acknowledgment = new Uint8Array(1)
  const encode = (): void => {
    // Not the measure's own count: starting over, it would bring back what never comes back.
    const i = sections
    const stream = (i % 30) * 4
    bytes += encoder.encode(stream, lists[i % lists.length]!).length
    bytes += encoder.takeInstructions()?.length ?? 0
    sections += 1
    if (encoder.outstandingSections === 0) return
    acknowledgment[0] = 0x80 | stream
    encoder.onDecoderStream(acknowledgment)
  }
  const encoding = measure(encode)

  // Sections that all of one table's state decodes, so that they can be decoded over and over.
  const source = new QpackEncoder()
  source.applySettings(capacity, 100)
  const decoder = new QpackDecoder({ maxFieldSectionSize: 65536, maxTableCapacity: capacity, maxBlockedStreams: 100 })
  let blocks: Uint8Array[] = []
  for (let round = 0; round < 2; round += 1) {
    blocks = lists.map((list, i) => {
      const block = source.encode(i * 4, list).slice()
      const instructions = source.takeInstructions()
      if (instructions !== null) decoder.onEncoderStream(instructions)
      if (decoder.decode(i * 4, block, 0, block.length) === null) throw new Error('blocked')
      source.onDecoderStream(decoder.takeInstructions() ?? new Uint8Array(0))
      return block
    })
  }
  if (capacity > 0) blocks = blocks.slice(-64)
  const decode = (i: number): void => {
    const block = blocks[i % blocks.length]!
    decoder.decode((i % 30) * 4, block, 0, block.length)
    if (decoder.pendingInstructions > 1024) decoder.takeInstructions()
  }
  const decoding = measure(decode)
  return {
    encodePerSecond: encoding.perSecond,
    decodePerSecond: decoding.perSecond,
    encodeHeapBytes: encoding.heapBytes,
    decodeHeapBytes: decoding.heapBytes,
    bytes: bytes / sections,
  }
}

answer((request) => Promise.resolve(request === 'fresh' ? cost(fresh(), 0) : cost(requests(), request === 'static' ? 0 : 16_384)))
