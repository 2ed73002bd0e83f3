// The load balancer's half (draft-ietf-quic-load-balancers §4, §5.5): which server a connection ID names. Several configurations may
// be in use at once, told apart by the first three bits. What is unroutable here goes to the fallback algorithm (§4.3).

import { BlockCodec } from './block-codec.ts'
import { checkQuicLbConfig } from './config.ts'
import type { QuicLbConfig } from './config.ts'

export interface QuicLbDecoderOptions {
  readonly configs: readonly QuicLbConfig[]
  /** All servers write the length into the first octet (§3.3), so that IDs which contradict it are unroutable. Default false. */
  readonly lengthIsEncoded?: boolean
}

const LONG_HEADER = 0x80
/** RFC 8999 §5.1: flags, version and length come before the Destination Connection ID of a long header. */
const LONG_HEADER_ID_START = 6
const LENGTH_AT = 5

export class QuicLbDecoder {
  private readonly codecs: (BlockCodec | null)[]
  private readonly lengthIsEncoded: boolean

  /** Throws RangeError for a configuration that is not valid or comes twice. */
  constructor(options: QuicLbDecoderOptions) {
    this.codecs = new Array<BlockCodec | null>(8).fill(null)
    this.lengthIsEncoded = options.lengthIsEncoded ?? false
    for (const config of options.configs) {
      checkQuicLbConfig(config)
      if (this.codecs[config.configId] !== null) throw new RangeError(`QUIC-LB configuration ${config.configId} is given twice`)
      this.codecs[config.configId] = new BlockCodec(config)
    }
  }

  /** The server ID in a connection ID; null: unroutable. The caller still has to see whether there is such a server. */
  serverId(connectionId: Uint8Array): Uint8Array | null {
    if (this.lengthIsEncoded && connectionId.length > 0 && (connectionId[0]! & 0x1f) !== connectionId.length - 1) return null
    return this.decode(connectionId, 0, connectionId.length)
  }

  /** The server ID in the Destination Connection ID of a datagram of any QUIC version (RFC 8999); null: unroutable. */
  serverIdOfDatagram(datagram: Uint8Array): Uint8Array | null {
    if (datagram.length === 0) return null
    if ((datagram[0]! & LONG_HEADER) === 0) return this.decode(datagram, 1, datagram.length)
    const length = datagram[LENGTH_AT] ?? 0
    const end = LONG_HEADER_ID_START + length
    if (end > datagram.length) return null
    return this.serverId(datagram.subarray(LONG_HEADER_ID_START, end))
  }

  /** Of a short header only the least length is known: `end` is the end of the packet then. */
  private decode(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
    if (start >= end) return null
    const first = bytes[start]!
    const codec = this.codecs[first >> 5] ?? null
    if (codec === null || end - start < 1 + codec.length) return null
    if (this.lengthIsEncoded && (first & 0x1f) < codec.length) return null
    return codec.serverId(bytes, start + 1)
  }
}
