// Connection IDs that say which of several workers issued them: by the first byte, modulo the number of workers. What a client chooses
// itself for its first packets (RFC 9000 §7.2) is read in the same way, so that all packets of a handshake meet at one worker.

import type { ConnectionIdGenerator, RandomSource } from '@quicwire/quic'

const BYTE_VALUES = 256
/** Bit of the first byte of a long header (RFC 8999 §5.1), and where its destination connection ID is. */
const LONG_HEADER = 0x80
const LONG_LENGTH_AT = 5
const LONG_ID_AT = 6
const SHORT_ID_AT = 1
/** Bits of the packet type in a long header, and the types that carry a connection ID the client has chosen itself. */
const TYPE_MASK = 0x30

export class WorkerConnectionIds implements ConnectionIdGenerator {
  readonly length: number
  private readonly random: RandomSource
  private readonly index: number
  private readonly count: number

  /** `index`: of this worker, from 0; `count`: of all of them, at most 256. Throws RangeError. */
  constructor(random: RandomSource, length: number, index: number, count: number) {
    if (!Number.isInteger(length) || length < 1 || length > 20) throw new RangeError('connection IDs of workers have 1 to 20 bytes')
    if (!Number.isInteger(count) || count < 1 || count > BYTE_VALUES) throw new RangeError(`between 1 and ${BYTE_VALUES} workers share a port`)
    if (!Number.isInteger(index) || index < 0 || index >= count) throw new RangeError(`worker ${index} is none of ${count}`)
    this.length = length
    this.random = random
    this.index = index
    this.count = count
  }

  generate(): Uint8Array {
    const connectionId = new Uint8Array(this.length)
    this.random.fill(connectionId)
    const rounds = Math.floor((BYTE_VALUES - 1 - this.index) / this.count) + 1
    connectionId[0] = this.index + this.count * (connectionId[0]! % rounds)
    return connectionId
  }
}

/** The worker a datagram belongs to by its destination connection ID; -1: it has none. */
export function workerOf(datagram: Uint8Array, count: number): number {
  const first = datagram[0]
  if (first === undefined) return -1
  const at = (first & LONG_HEADER) === 0 ? SHORT_ID_AT : datagram[LONG_LENGTH_AT] === 0 ? -1 : LONG_ID_AT
  const value = at < 0 ? undefined : datagram[at]
  return value === undefined ? -1 : value % count
}

/** A long header that may carry a connection ID of the client's own making: an Initial or 0-RTT packet, of whatever version. */
export function mayBegin(datagram: Uint8Array): boolean {
  const first = datagram[0] ?? 0
  if ((first & LONG_HEADER) === 0) return false
  // RFC 9000 Table 5 has Handshake as 2, RFC 9369 §3.2 as 3; Retry, the other one, is not sent to servers.
  const version = ((datagram[1] ?? 0) << 24) | ((datagram[2] ?? 0) << 16) | ((datagram[3] ?? 0) << 8) | (datagram[4] ?? 0)
  return (first & TYPE_MASK) !== (version === 1 ? 0x20 : 0x30)
}
