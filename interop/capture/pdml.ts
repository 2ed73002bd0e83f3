// Wireshark's PDML, line by line: packets with every field of every QUIC packet in them.

import type { FrameRecord } from '../../packages/quic/src/trace/sink.ts'
import { FrameType, VERSION_2 } from '../../packages/quic/src/wire/constants.ts'
import type { CapturedMessage, CapturedPacket, CapturedPacketType } from './datagram.ts'

const CLIENT_HELLO = 1
const ENCRYPTED_EXTENSIONS = 8
const LINE = /^\s*<(?:proto|field) name="([^"]*)"/
const SHOW = / show="([^"]*)"/
const VALUE = / value="([^"]*)"/
const SIZE = / size="(\d+)"/

const LONG_TYPES: readonly CapturedPacketType[] = ['initial', '0-rtt', 'handshake', 'retry']
/** RFC 9369 §3.2. */
const LONG_TYPES_V2: readonly CapturedPacketType[] = ['retry', 'initial', '0-rtt', 'handshake']

/** What one `<packet>` says. */
export interface PdmlPacket {
  /** Fields outside of QUIC, the first of each name. */
  readonly outer: ReadonlyMap<string, string>
  readonly quic: readonly CapturedPacket[]
}

export class PdmlReader {
  private outer: Map<string, string>
  private packets: PdmlQuicPacket[]
  private inQuic: boolean

  constructor() {
    this.outer = new Map()
    this.packets = []
    this.inQuic = false
  }

  /** Takes a line; a packet when it was its last one. */
  line(text: string): PdmlPacket | null {
    if (text.startsWith('</packet>')) return this.finish()
    const match = LINE.exec(text)
    if (match === null) return null
    const name = match[1]!
    if (name === 'quic' && text.includes('<proto')) {
      this.inQuic = true
      this.packets.push(new PdmlQuicPacket())
    } else if (this.inQuic) {
      this.packets.at(-1)!.field(name, text)
    } else if (!this.outer.has(name)) {
      this.outer.set(name, SHOW.exec(text)?.[1] ?? '')
    }
    return null
  }

  private finish(): PdmlPacket {
    const packet = { outer: this.outer, quic: this.packets.flatMap((quic) => quic.toPacket() ?? []) }
    this.outer = new Map()
    this.packets = []
    this.inQuic = false
    return packet
  }
}

interface Message {
  type: number
  cipherSuites?: number[]
  initialMaxStreamsBidi?: number
}

class PdmlQuicPacket {
  private readonly fields: Map<string, string>
  private readonly frames: { -readonly [K in keyof FrameRecord]: FrameRecord[K] }[]
  private readonly messages: Message[]
  private payloadLength: number

  constructor() {
    this.fields = new Map()
    this.frames = []
    this.messages = []
    this.payloadLength = 0
  }

  field(name: string, text: string): void {
    if (name.startsWith('tls.')) return this.tlsField(name, SHOW.exec(text)?.[1] ?? '')
    if (!name.startsWith('quic.')) return
    const show = SHOW.exec(text)?.[1] ?? ''
    const frame = this.frames.at(-1)
    switch (name) {
      case 'quic.frame_type':
        this.frames.push({ type: Number(show) })
        return
      case 'quic.crypto.offset':
        if (frame !== undefined) frame.offset = Number(show)
        return
      case 'quic.crypto.length':
        if (frame !== undefined) frame.length = Number(show)
        return
      case 'quic.path_challenge.data':
      case 'quic.path_response.data':
        if (frame !== undefined) frame.data = Buffer.from(VALUE.exec(text)?.[1] ?? '', 'hex')
        return
      case 'quic.ack.ect0_count':
        if (frame !== undefined) frame.ect0 = Number(show)
        return
      case 'quic.payload':
      case 'quic.protected_payload':
      case 'quic.remaining_payload':
        this.payloadLength = Number(SIZE.exec(text)?.[1] ?? '0')
        return
      case 'quic.dcid':
      case 'quic.scid':
      case 'quic.token':
      case 'quic.retry_token':
        // The first: what follows in a packet's tree repeats it in frames.
        if (!this.fields.has(name)) this.fields.set(name, VALUE.exec(text)?.[1] ?? '')
        return
      default:
        if (!this.fields.has(name)) this.fields.set(name, show)
    }
  }

  private tlsField(name: string, show: string): void {
    const message = this.messages.at(-1)
    if (name === 'tls.handshake.type') this.messages.push({ type: Number(show) })
    else if (name === 'tls.handshake.ciphersuite' && message?.type === CLIENT_HELLO) (message.cipherSuites ??= []).push(Number(show))
    else if (name === 'tls.quic.parameter.initial_max_streams_bidi' && message?.type === ENCRYPTED_EXTENSIONS) message.initialMaxStreamsBidi = Number(show)
  }

  /** Null for padding behind the packets of a datagram. */
  toPacket(): CapturedPacket | null {
    const { fields } = this
    if (!fields.has('quic.header_form')) return null
    const version = Number(fields.get('quic.version') ?? '0')
    const long = fields.get('quic.header_form') === '1'
    const number = fields.get('quic.packet_number')
    const phase = fields.get('quic.key_phase')
    const decrypted = number !== undefined && !fields.has('quic.decryption_failed') && (long || phase !== undefined)
    return {
      type: long ? longType(version, fields) : '1-rtt',
      version,
      destinationId: fields.get('quic.dcid') ?? '',
      sourceId: fields.get('quic.scid') ?? '',
      token: fields.get('quic.token') ?? fields.get('quic.retry_token') ?? '',
      packetNumber: decrypted ? Number(number) : -1,
      keyPhase: long || phase === undefined ? null : isTrue(phase) ? 1 : 0,
      decrypted,
      payloadLength: this.payloadLength,
      frames: this.frames.filter((frame) => frame.type !== FrameType.padding),
      messages: this.messages satisfies CapturedMessage[],
      repeatsCrypto: fields.has('quic.retransmission') || fields.has('quic.overlap'),
    }
  }
}

function longType(version: number, fields: ReadonlyMap<string, string>): CapturedPacketType {
  // Wireshark 4.0 gives up on versions it does not know before it shows them.
  if (!fields.has('quic.version')) return 'unknown'
  if (version === 0) return 'version-negotiation'
  const type = fields.get('quic.long.packet_type')
  const typeV2 = fields.get('quic.long.packet_type_v2')
  if (version === VERSION_2) return LONG_TYPES_V2[Number(typeV2 ?? -1)] ?? 'unknown'
  return version === 1 ? (LONG_TYPES[Number(type ?? -1)] ?? 'unknown') : 'unknown'
}

/** Wireshark writes a boolean as 1 or as True, by its version. */
export function isTrue(text: string): boolean {
  return text === '1' || text === 'True'
}
