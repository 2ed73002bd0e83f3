// A capture file: pcap with nanoseconds, whole IP packets without a link layer.

import { createWriteStream, type WriteStream } from 'node:fs'
import { once } from 'node:events'

const MAGIC_NANOSECONDS = 0xa1b23c4d
const LINKTYPE_RAW = 101
const SNAP_LENGTH = 65_535
const CHUNK = 65_536

/** The head of the file. */
export function pcapHeader(): Buffer {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(MAGIC_NANOSECONDS, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(SNAP_LENGTH, 16)
  header.writeUInt32LE(LINKTYPE_RAW, 20)
  return header
}

/** One packet; the time is that of a whole second since 1970 and milliseconds from there on. */
export function pcapRecord(packet: Uint8Array, second: number, milliseconds: number): Buffer {
  const whole = Math.floor(milliseconds / 1000)
  const record = Buffer.alloc(16 + packet.length)
  record.writeUInt32LE(second + whole, 0)
  record.writeUInt32LE(Math.floor((milliseconds - 1000 * whole) * 1e6), 4)
  record.writeUInt32LE(packet.length, 8)
  record.writeUInt32LE(packet.length, 12)
  record.set(packet, 16)
  return record
}

export class PcapWriter {
  private readonly stream: WriteStream
  private pending: Buffer[]
  private pendingBytes: number
  private failure: Error | null

  constructor(file: string) {
    this.stream = createWriteStream(file)
    this.failure = null
    this.stream.on('error', (error) => (this.failure = error))
    this.pending = [pcapHeader()]
    this.pendingBytes = 0
  }

  /** Copies the packet. */
  write(packet: Uint8Array, second: number, milliseconds: number): void {
    const record = pcapRecord(packet, second, milliseconds)
    this.pending.push(record)
    this.pendingBytes += record.length
    if (this.pendingBytes >= CHUNK) this.flush()
  }

  /** Rejects when the file could not be written. */
  async close(): Promise<void> {
    this.flush()
    if (this.failure === null && !this.stream.destroyed) {
      this.stream.end()
      await once(this.stream, 'close').catch((error: unknown) => void (this.failure = error as Error))
    }
    if (this.failure !== null) throw this.failure
  }

  private flush(): void {
    this.stream.write(Buffer.concat(this.pending))
    this.pending = []
    this.pendingBytes = 0
  }
}
