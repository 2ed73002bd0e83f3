// Capture files in the classic pcap format: both byte orders, timestamps of microseconds or nanoseconds, link types RAW and Ethernet.
// Read in pieces, so that a long capture is never in memory as a whole.

import { closeSync, openSync, readSync } from 'node:fs'

const MICROSECONDS = 0xa1b2c3d4
const NANOSECONDS = 0xa1b23c4d
const LINKTYPE_ETHERNET = 1
const LINKTYPE_RAW = 101
const FILE_HEADER = 24
const RECORD_HEADER = 16
/** No link carries more; a longer record is a broken file. */
const MAX_RECORD = 0x4_0000
const ETHERNET_HEADER = 14
const ETHERTYPE_IPV4 = 0x0800
const ETHERTYPE_IPV6 = 0x86dd

export class CaptureError extends Error {
  override readonly name: string = 'CaptureError'
  readonly code: 'CAPTURE_UNREADABLE' | 'CAPTURE_FORMAT'

  constructor(code: 'CAPTURE_UNREADABLE' | 'CAPTURE_FORMAT', message: string) {
    super(message)
    this.code = code
  }
}

/** An IP packet of a capture. */
export interface CapturedIpPacket {
  /** From 1, every record counted, as Wireshark counts frames. */
  readonly frame: number
  /** Milliseconds since 1970, with a fraction. */
  readonly time: number
  /** The whole IP packet: memory of its own, the reader may write to it. */
  readonly bytes: Uint8Array
}

interface PcapFormat {
  readonly littleEndian: boolean
  readonly fractionsPerMs: number
  readonly linkType: number
}

/** The IP packets of a capture in file order; records that hold something else are passed over. A record cut short ends the capture. */
export function* readPcap(file: string): Generator<CapturedIpPacket, void, void> {
  const source = new FileReader(file)
  try {
    const header = source.take(FILE_HEADER)
    if (header === null) throw new CaptureError('CAPTURE_FORMAT', `${file} is shorter than a pcap header`)
    const format = readFormat(header, file)
    for (let frame = 1; ; frame += 1) {
      const record = source.take(RECORD_HEADER)
      if (record === null) return
      const view = viewOf(record)
      const seconds = view.getUint32(0, format.littleEndian)
      const fraction = view.getUint32(4, format.littleEndian)
      const length = view.getUint32(8, format.littleEndian)
      if (length > MAX_RECORD) throw new CaptureError('CAPTURE_FORMAT', `${file}: frame ${frame} claims ${length} bytes`)
      const body = source.take(length)
      if (body === null) return
      const bytes = format.linkType === LINKTYPE_RAW ? body : ethernetPayload(body)
      if (bytes !== null) yield { frame, time: seconds * 1000 + fraction / format.fractionsPerMs, bytes }
    }
  } finally {
    source.close()
  }
}

function readFormat(header: Uint8Array, file: string): PcapFormat {
  const view = viewOf(header)
  for (const littleEndian of [true, false]) {
    const magic = view.getUint32(0, littleEndian)
    if (magic !== MICROSECONDS && magic !== NANOSECONDS) continue
    // The upper bits say whether frames end in a checksum.
    const linkType = view.getUint32(20, littleEndian) & 0xffff
    if (linkType !== LINKTYPE_RAW && linkType !== LINKTYPE_ETHERNET) {
      throw new CaptureError('CAPTURE_FORMAT', `${file} has link type ${linkType}; RAW (101) and Ethernet (1) are read`)
    }
    return { littleEndian, fractionsPerMs: magic === NANOSECONDS ? 1e6 : 1e3, linkType }
  }
  throw new CaptureError('CAPTURE_FORMAT', `${file} is no pcap file`)
}

function ethernetPayload(frame: Uint8Array): Uint8Array | null {
  if (frame.length < ETHERNET_HEADER) return null
  const type = (frame[12]! << 8) | frame[13]!
  return type === ETHERTYPE_IPV4 || type === ETHERTYPE_IPV6 ? frame.subarray(ETHERNET_HEADER) : null
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

class FileReader {
  private readonly descriptor: number
  private readonly chunk: Uint8Array
  private start: number
  private end: number

  constructor(file: string) {
    try {
      this.descriptor = openSync(file, 'r')
    } catch (error) {
      throw new CaptureError('CAPTURE_UNREADABLE', `${file}: ${(error as Error).message}`)
    }
    this.chunk = new Uint8Array(4 * MAX_RECORD)
    this.start = 0
    this.end = 0
  }

  /** The next bytes, copied; null when there are not so many. */
  take(length: number): Uint8Array<ArrayBuffer> | null {
    while (this.end - this.start < length) if (!this.fill()) return null
    const bytes = this.chunk.slice(this.start, this.start + length)
    this.start += length
    return bytes
  }

  close(): void {
    closeSync(this.descriptor)
  }

  private fill(): boolean {
    this.chunk.copyWithin(0, this.start, this.end)
    this.end -= this.start
    this.start = 0
    const read = readSync(this.descriptor, this.chunk, this.end, this.chunk.length - this.end, null)
    this.end += read
    return read > 0
  }
}
