import { QpackDecoder, QpackEncoder, STATIC_TABLE } from '../src/index.ts'
import type { FieldLine } from '../src/index.ts'
import type { BlockReader } from '../src/block-reader.ts'
import { entrySize } from '../src/dynamic-table.ts'
import { EncoderInstructionReader } from '../src/encoder-instructions.ts'
import type { EncoderInstructions } from '../src/encoder-instructions.ts'
import { DecoderInstructionReader } from '../src/decoder-instructions.ts'
import type { DecoderInstructions } from '../src/decoder-instructions.ts'
import { decodeRequiredInsertCount, maxEntries } from '../src/vas.ts'

/** mulberry32. */
export class Random {
  private state: number
  constructor(seed: number) {
    this.state = seed | 0
  }
  next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }
  text(length: number): string {
    return Array.from({ length }, () => String.fromCharCode(this.below(4) === 0 ? this.below(256) : 97 + this.below(26))).join('')
  }
}

/** Field lists in which names and whole field lines come back, near and far. */
export function* fieldLists(random: Random, count: number): Generator<FieldLine[]> {
  const pool: FieldLine[] = [[':method', 'GET'], [':path', '/'], ['cookie', 'a=b'], ['authorization', 'secret'], ['date', 'now']]
  for (let i = 0; i < count; i += 1) {
    yield Array.from({ length: random.below(12) }, () => {
      const old = pool[random.below(pool.length)]!
      const kind = random.below(10)
      const field: FieldLine = kind < 6 ? old : kind < 9 ? [old[0], random.text(random.below(40))] : [random.text(random.below(12)), random.text(random.below(20))]
      pool.push(field)
      if (pool.length > 30) pool.splice(random.below(30), 1)
      return field
    })
  }
}

/**
 * Reads along what an encoder and the peer's decoder say, and holds the encoder to RFC 9204 §2.1: capacity, evictions, blocked streams,
 * references. Its tables are plain arrays.
 */
export class Auditor implements EncoderInstructions, DecoderInstructions {
  private readonly entries: number[] = []
  private dropped = 0
  private size = 0
  private capacity = 0
  private known = 0
  private readonly outstanding: { stream: number; required: number; references: number[] }[] = []
  private readonly budget: number
  private readonly maxCapacity: number
  private readonly encoderReader = new EncoderInstructionReader(this)
  private readonly decoderReader = new DecoderInstructionReader(this)

  constructor(maxCapacity: number, budget: number) {
    this.maxCapacity = maxCapacity
    this.budget = budget
  }
  instructions(bytes: Uint8Array): void {
    this.encoderReader.receive(bytes)
  }
  acknowledgments(bytes: Uint8Array): void {
    this.decoderReader.receive(bytes)
  }
  /** A section has been sent; its dynamic references are read from its bytes. */
  section(stream: number, block: Uint8Array): void {
    const [encoded, at] = int(block, 0, 8)
    const required = decodeRequiredInsertCount(encoded, maxEntries(this.maxCapacity), this.entries.length)
    if (required === 0) return
    if (required > this.entries.length) throw new Error('Required Insert Count beyond what was inserted')
    const references = dynamicReferences(block, at + 1, required)
    if (Math.max(...references) + 1 !== required) throw new Error(`Required Insert Count ${required}, references ${references.join()} (§2.1.2)`)
    for (const index of references) if (index < this.dropped) throw new Error(`reference to ${index}, which was evicted`)
    this.outstanding.push({ stream, required, references })
    const risky = new Set(this.outstanding.filter((s) => s.required > this.known).map((s) => s.stream))
    if (risky.size > this.budget) throw new Error(`${risky.size} streams may block, ${this.budget} are allowed (§2.1.2)`)
  }
  private evictTo(size: number): void {
    while (this.size > size) {
      const index = this.dropped++
      this.size -= this.entries[index]!
      if (index >= this.known) throw new Error(`entry ${index} evicted before it was acknowledged (§2.1.1)`)
      if (this.outstanding.some((s) => s.references.includes(index))) throw new Error(`entry ${index} evicted while referred to (§2.1.1)`)
    }
  }
  private add(size: number): void {
    if (size > this.capacity) throw new Error('entry larger than the table (§3.2.2)')
    this.evictTo(this.capacity - size)
    this.entries.push(size)
    this.size += size
  }
  private nameLengths: number[] = []
  longestString(): number {
    return this.capacity
  }
  setCapacity(_: BlockReader, capacity: number): void {
    if (capacity > this.maxCapacity) throw new Error('capacity above the maximum (§3.2.3)')
    this.capacity = capacity
    this.evictTo(capacity)
  }
  insertWithNameReference(_: BlockReader, isStatic: boolean, index: number, value: string): void {
    const name = isStatic ? STATIC_NAME_LENGTHS[index]! : this.nameLengths[this.live(index)]!
    this.nameLengths.push(name)
    this.add(name + value.length + 32)
  }
  insertWithLiteralName(_: BlockReader, name: string, value: string): void {
    this.nameLengths.push(name.length)
    this.add(entrySize(name, value))
  }
  duplicate(_: BlockReader, index: number): void {
    const original = this.live(index)
    this.nameLengths.push(this.nameLengths[original]!)
    this.add(this.entries[original]!)
  }
  private live(relative: number): number {
    const index = this.entries.length - 1 - relative
    if (index < this.dropped) throw new Error(`instruction refers to ${index}, which was evicted`)
    return index
  }
  acknowledgeSection(_: BlockReader, streamId: number): void {
    const at = this.outstanding.findIndex((s) => s.stream === streamId)
    this.known = Math.max(this.known, this.outstanding.splice(at, 1)[0]!.required)
  }
  cancelStream(_: BlockReader, streamId: number): void {
    for (let at = this.outstanding.length - 1; at >= 0; at -= 1) if (this.outstanding[at]!.stream === streamId) this.outstanding.splice(at, 1)
  }
  increaseInsertCount(_: BlockReader, increment: number): void {
    this.known += increment
  }
}

const STATIC_NAME_LENGTHS = STATIC_TABLE.map(([name]) => name.length)

function int(block: Uint8Array, at: number, prefix: number): [value: number, next: number] {
  const mask = (1 << prefix) - 1
  let value = block[at++]! & mask
  if (value < mask) return [value, at]
  for (let scale = 1; ; scale *= 128) {
    const byte = block[at++]!
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return [value, at]
  }
}

/** Absolute indices in a section of ours: Base is the Required Insert Count. */
function dynamicReferences(block: Uint8Array, start: number, base: number): number[] {
  const references: number[] = []
  let value: number
  let at = start
  const skipString = (prefix: number): void => {
    ;[value, at] = int(block, at, prefix)
    at += value
  }
  while (at < block.length) {
    const first = block[at]!
    if (first >= 0x80) {
      ;[value, at] = int(block, at, 6)
      if ((first & 0x40) === 0) references.push(base - 1 - value)
    } else if (first >= 0x40) {
      ;[value, at] = int(block, at, 4)
      if ((first & 0x10) === 0) references.push(base - 1 - value)
      skipString(7)
    } else if (first >= 0x20) {
      skipString(3)
      skipString(7)
    } else throw new Error('post-base representation from our encoder')
  }
  return references
}

export interface ExchangeOptions {
  readonly capacity: number
  readonly budget: number
  readonly seed: number
  readonly lists: number
  /** Streams in use at a time; a stream carries several sections. */
  readonly streams: number
  /** The room on the encoder stream changes all the time. */
  readonly tightRoom: boolean
}

export interface ExchangeResult {
  readonly insertions: number
  readonly blocked: number
  readonly cancelled: number
}

interface Flight {
  readonly stream: number
  readonly block: Uint8Array
  readonly fields: readonly FieldLine[]
}

/**
 * An encoder and a decoder, and between them a network that delivers the encoder stream byte by byte, late, the sections of different streams in any
 * order, the decoder stream cut anywhere, and gives up streams. Throws when anything is not as it must be.
 */
export function exchange(options: ExchangeOptions): ExchangeResult {
  const { capacity, budget, lists, seed, streams, tightRoom } = options
  const random = new Random(seed)
  const encoder = new QpackEncoder({ maxTableCapacity: capacity, maxBlockedStreams: budget })
  const decoder = new QpackDecoder({ maxFieldSectionSize: 1 << 20, maxTableCapacity: capacity, maxBlockedStreams: budget })
  const auditor = new Auditor(capacity, budget)
  encoder.applySettings(capacity, budget)
  const forward: number[] = []
  const backward: number[] = []
  /** In order per stream. */
  const flights: Flight[] = []
  const held = new Map<number, Flight>()
  const cancelled = new Set<number>()
  let blocked = 0
  const decode = (flight: Flight): boolean => {
    const section = decoder.decode(flight.stream, flight.block, 0, flight.block.length)
    if (section === null) return false
    if (JSON.stringify(section.fields) !== JSON.stringify(flight.fields)) throw new Error(`stream ${flight.stream}: other fields`)
    return true
  }
  const resume = (): void => {
    for (let stream = decoder.nextUnblocked(); stream !== -1; stream = decoder.nextUnblocked()) {
      const flight = held.get(stream)!
      held.delete(stream)
      if (!decode(flight)) throw new Error(`stream ${stream} blocked again`)
    }
  }
  const deliver = (): void => {
    for (let n = random.below(forward.length + 1); n > 0; n -= 1) {
      decoder.onEncoderStream(Uint8Array.of(forward.shift()!))
      resume()
    }
  }
  const arrive = (): void => {
    const at = random.below(flights.length)
    const flight = flights[at]!
    // What is behind a blocked section, or behind an earlier one of the same stream, waits.
    if (held.has(flight.stream) || flights.findIndex((f) => f.stream === flight.stream) !== at) return
    flights.splice(at, 1)
    if (cancelled.has(flight.stream)) return
    if (!decode(flight)) {
      blocked += 1
      held.set(flight.stream, flight)
    }
    if (random.below(12) === 0) cancel(flight.stream)
  }
  const cancel = (stream: number): void => {
    decoder.cancelStream(stream)
    held.delete(stream)
    cancelled.add(stream)
  }
  const acknowledge = (all: boolean): void => {
    const instructions = decoder.takeInstructions()
    if (instructions !== null) backward.push(...instructions)
    for (let n = all ? backward.length : random.below(backward.length + 1); n > 0; n -= 1) {
      const byte = Uint8Array.of(backward.shift()!)
      auditor.acknowledgments(byte)
      encoder.onDecoderStream(byte)
    }
  }
  const generation: number[] = Array.from({ length: streams }, () => 0)
  for (const fields of fieldLists(random, lists)) {
    const slot = random.below(streams)
    let stream = (generation[slot]! * streams + slot) * 4
    if (cancelled.has(stream)) stream = (++generation[slot]! * streams + slot) * 4
    if (tightRoom) encoder.instructionRoom = random.below(60)
    const room = encoder.instructionRoom
    const block = encoder.encode(stream, fields).slice()
    const instructions = encoder.takeInstructions()
    if (instructions !== null) {
      if (instructions.length > room) throw new Error(`${instructions.length} bytes of instructions, room for ${room} (§2.1.3)`)
      auditor.instructions(instructions)
      forward.push(...instructions)
    }
    auditor.section(stream, block)
    flights.push({ stream, block, fields })
    if (capacity > 64 && random.below(40) === 0) encoder.setCapacity(random.below(capacity + 1))
    if (random.below(3) === 0) deliver()
    while (flights.length > 0 && random.below(3) !== 0) arrive()
    if (random.below(4) === 0) acknowledge(false)
  }
  while (forward.length > 0) deliver()
  resume()
  while (flights.length > 0) arrive()
  acknowledge(true)
  if (held.size > 0 || decoder.blockedStreams > 0) throw new Error('a stream stays blocked')
  if (encoder.outstandingSections > 0) throw new Error('a section stays outstanding')
  if (encoder.knownReceivedCount !== encoder.insertCount || decoder.insertCount !== encoder.insertCount) throw new Error('insertions got lost')
  if (encoder.tableSize !== decoder.tableSize) throw new Error('the tables differ in size')
  return { insertions: encoder.insertCount, blocked, cancelled: cancelled.size }
}
