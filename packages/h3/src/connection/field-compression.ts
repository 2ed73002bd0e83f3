import { QpackDecoder, QpackEncoder } from '@quicwire/qpack'
import type { WireValue } from '@quicwire/quic/varint'
import { BlockedSections } from '../blocked.ts'
import type { ResolvedConfig } from '../config.ts'
import type { Header } from '../events.ts'
import type { LocalStreams } from '../streams/local-streams.ts'

/** What the dynamic tables of both directions have been used for (RFC 9204). */
export interface QpackCounters {
  /** Insertions we made at the peer. */
  readonly encoderInserts: number
  /** Those of them that it has said to have received. */
  readonly encoderInsertsReceived: number
  /** Field sections we sent that refer to our insertions. */
  readonly encoderReferringSections: number
  /** Insertions the peer made here. */
  readonly decoderInserts: number
  /** Field sections received that refer to the peer's insertions. */
  readonly decoderReferringSections: number
  /** Requests that wait for the peer's encoder stream now. */
  readonly blockedStreams: number
}

/** QPACK's two halves and the streams their instructions go out on. */
export class FieldCompression {
  readonly encoder: QpackEncoder
  readonly decoder: QpackDecoder
  readonly blocked: BlockedSections
  private readonly local: LocalStreams

  constructor(config: ResolvedConfig, local: LocalStreams) {
    this.encoder = new QpackEncoder({ maxTableCapacity: config.qpackEncoderTableCapacity, maxBlockedStreams: config.qpackEncoderBlockedStreams })
    this.decoder = new QpackDecoder({
      maxFieldSectionSize: config.maxFieldSectionSize,
      maxTableCapacity: config.qpackMaxTableCapacity,
      maxBlockedStreams: config.qpackBlockedStreams,
    })
    this.blocked = new BlockedSections(config.maxFieldSectionSize)
    this.local = local
  }

  /** The peer's settings; -1 for one it has not sent. Throws QpackError. */
  applySettings(maxTableCapacity: WireValue, blockedStreams: WireValue): void {
    this.encoder.applySettings(Math.max(0, Number(maxTableCapacity)), Math.max(0, Number(blockedStreams)))
  }

  /** A section that is certain to be sent; what the peer needs to decode it goes out before. Valid until the next call. */
  encode(streamId: number, headers: readonly Header[], neverIndexed: readonly Header[] | undefined): Uint8Array {
    this.encoder.instructionRoom = this.local.encoderRoom()
    const block = this.encoder.encode(streamId, headers, neverIndexed)
    const instructions = this.encoder.takeInstructions()
    if (instructions !== null) this.local.sendEncoder(instructions)
    return block
  }

  /** Sends what the decoder has to say: late, so that one instruction can stand for many (RFC 9204 §2.2.2.3). Throws H3Error. */
  acknowledge(): void {
    if (!this.local.decoderOpen) return
    const instructions = this.decoder.takeInstructions()
    if (instructions !== null) this.local.sendDecoder(instructions)
  }

  counters(): QpackCounters {
    const { decoder, encoder } = this
    return {
      encoderInserts: encoder.insertCount,
      encoderInsertsReceived: encoder.knownReceivedCount,
      encoderReferringSections: encoder.referringSections,
      decoderInserts: decoder.insertCount,
      decoderReferringSections: decoder.referringSections,
      blockedStreams: decoder.blockedStreams,
    }
  }
}
