// What opens the packets of one side at one encryption level: the key of a traffic secret (RFC 9001 §5), and for 1-RTT packets its
// successors (§6). The cipher suite follows from the packets: whichever of those that fit the secret opens one is it.

import { MASK_LENGTH, packetNumberLengthOf, unprotectHeader } from '../../packages/quic/src/crypto/header-protection.ts'
import { KeyChain } from '../../packages/quic/src/crypto/key-chain.ts'
import { nodeProvider } from '../../packages/quic/src/crypto/node/index.ts'
import { CipherSuite, TAG_LENGTH, type AeadKey, type CipherSuiteId } from '../../packages/quic/src/crypto/provider.ts'
import type { HeaderView } from '../../packages/quic/src/wire/header.ts'
import { expandPacketNumber } from '../../packages/quic/src/wire/packet-number.ts'

const KEY_PHASE_BIT = 0x04
/** First byte and packet number: what removing header protection changes. */
const MASKED = 5

export interface OpenedPacket {
  readonly packetNumber: number
  /** The plaintext is at [payloadStart, payloadEnd) of the header's buffer. */
  readonly payloadStart: number
  readonly payloadEnd: number
  readonly keyPhase: 0 | 1
}

/** The suites a secret of that length can belong to; INITIAL_CIPHER_SUITE's is among them. */
export function suitesOf(secret: Uint8Array): readonly CipherSuiteId[] {
  if (secret.length === 48) return [CipherSuite.aes256GcmSha384]
  return secret.length === 32 ? [CipherSuite.aes128GcmSha256, CipherSuite.chacha20Poly1305Sha256] : []
}

export class ReadKeys {
  private readonly chain: KeyChain
  private readonly mask: Uint8Array
  private readonly saved: Uint8Array
  private previous: AeadKey | null
  private generation: number

  constructor(suite: CipherSuiteId, secret: Uint8Array, version: number) {
    this.chain = new KeyChain(nodeProvider, suite, secret, version)
    this.mask = new Uint8Array(MASK_LENGTH)
    this.saved = new Uint8Array(MASKED)
    this.previous = null
    this.generation = 0
  }

  /** Opens the packet in place; null leaves its bytes as they were. `largest`: the largest packet number seen so far, -1 none. */
  open(header: HeaderView, largest: number): OpenedPacket | null {
    const { buffer, start, packetNumberOffset, packetEnd } = header
    this.save(header)
    const truncated = unprotectHeader(this.chain.header, this.mask, buffer, start, packetNumberOffset, packetEnd)
    if (truncated < 0) return null
    const first = buffer[start]!
    const length = packetNumberLengthOf(first)
    const packetNumber = expandPacketNumber(truncated, length, largest)
    const payloadStart = packetNumberOffset + length
    const keyPhase = (first & 0x80) === 0 && (first & KEY_PHASE_BIT) !== 0 ? 1 : 0
    const opened =
      (first & 0x80) === 0
        ? this.openPhase(buffer, start, payloadStart, packetEnd, packetNumber, keyPhase)
        : this.chain.current.open(buffer, start, payloadStart, packetEnd, packetNumber)
    if (opened) return { packetNumber, payloadStart, payloadEnd: packetEnd - TAG_LENGTH, keyPhase }
    this.restore(header)
    return null
  }

  private openPhase(buffer: Uint8Array, start: number, payloadStart: number, packetEnd: number, packetNumber: number, phase: number): boolean {
    const { chain } = this
    if (phase === (this.generation & 1)) return chain.current.open(buffer, start, payloadStart, packetEnd, packetNumber)
    if (chain.next.open(buffer, start, payloadStart, packetEnd, packetNumber)) {
      this.previous = chain.advance()
      this.generation += 1
      return true
    }
    return this.previous !== null && this.previous.open(buffer, start, payloadStart, packetEnd, packetNumber)
  }

  private save({ buffer, start, packetNumberOffset }: HeaderView): void {
    this.saved[0] = buffer[start]!
    for (let i = 1; i < MASKED; i += 1) this.saved[i] = buffer[packetNumberOffset + i - 1] ?? 0
  }

  private restore({ buffer, start, packetNumberOffset }: HeaderView): void {
    buffer[start] = this.saved[0]!
    for (let i = 1; i < MASKED; i += 1) buffer[packetNumberOffset + i - 1] = this.saved[i]!
  }
}
