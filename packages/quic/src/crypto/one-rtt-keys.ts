// Packet protection of 1-RTT packets and the key phase machine (RFC 9001 §6).
// A generation is one pair of secrets; its low bit is the Key Phase. Reading and writing each count theirs, and writing is
// either level with reading or one ahead of it (we initiated; the peer has not answered yet). Three read keys are held:
// previous (late packets, until discardPrevious), current, and next (made before it is needed: §6.3, timing). The header
// protection keys never change. A failed open leaves the buffer untouched, so a second key may be tried.

import { invariant } from '../base/assert.ts'
import { MASK_LENGTH, packetNumberLengthOf, protectHeader, unprotectHeader } from './header-protection.ts'
import { KeyChain } from './key-chain.ts'
import { MIN_PROTECTED_LENGTH } from './packet-keys.ts'
import { TAG_LENGTH, cipherSuite, type AeadKey, type CipherSuiteId, type CryptoProvider } from './provider.ts'

export const OpenResult = { ok: 0, failed: 1, keyUpdateError: 2 } as const
export type OpenResult = (typeof OpenResult)[keyof typeof OpenResult]

const KEY_PHASE_BIT = 0x04
const NONE = -1

export class OneRttKeys {
  readonly suite: CipherSuiteId
  /** Length of the packet number unprotectHeader found last, in bytes. */
  packetNumberLength: number
  /** How often each direction has moved on: 0 at first. */
  readGeneration: number
  writeGeneration: number
  /** Packets sealed with the current write key. */
  sealedPackets: number
  /** Packets no key could open, over the whole connection. */
  failedPackets: number

  private readonly provider: CryptoProvider
  private readonly version: number
  private readonly mask: Uint8Array
  private read: KeyChain | null
  private write: KeyChain | null
  private readPrevious: AeadKey | null
  /** Packet numbers opened in the current read generation. */
  private lowestRead: number
  private highestRead: number
  /** Generation of the packet opened last. */
  private openedGeneration: number
  /** First packet number of the current write generation, and whether the peer has acknowledged that generation. */
  private firstWritten: number
  private acknowledged: boolean
  /** A packet went out since the read keys last moved on. */
  private sentSinceRead: boolean

  /** Secrets that TLS has not produced yet are null, and come through setRead and setWrite. */
  constructor(
    provider: CryptoProvider,
    suite: CipherSuiteId,
    readSecret: Uint8Array | null = null,
    writeSecret: Uint8Array | null = null,
    version: number = 1,
  ) {
    this.suite = suite
    this.packetNumberLength = 0
    this.readGeneration = 0
    this.writeGeneration = 0
    this.sealedPackets = 0
    this.failedPackets = 0
    this.provider = provider
    this.version = version
    this.mask = new Uint8Array(MASK_LENGTH)
    this.read = null
    this.write = null
    this.readPrevious = null
    this.lowestRead = NONE
    this.highestRead = NONE
    this.openedGeneration = 0
    this.firstWritten = NONE
    this.acknowledged = false
    this.sentSinceRead = true
    if (readSecret !== null) this.setRead(readSecret)
    if (writeSecret !== null) this.setWrite(writeSecret)
  }

  setRead(secret: Uint8Array): void {
    invariant(this.read === null, '1-RTT read keys installed twice')
    this.read = new KeyChain(this.provider, this.suite, secret, this.version)
  }

  setWrite(secret: Uint8Array): void {
    invariant(this.write === null, '1-RTT write keys installed twice')
    this.write = new KeyChain(this.provider, this.suite, secret, this.version)
  }

  canRead(): boolean {
    return this.read !== null
  }

  canWrite(): boolean {
    return this.write !== null
  }

  /** The Key Phase bit to write into the header of the next packet. */
  get keyPhase(): 0 | 1 {
    return (this.writeGeneration & 1) as 0 | 1
  }

  /** Like PacketKeys.protect; the header already carries `keyPhase`. */
  protect(
    buffer: Uint8Array,
    headerStart: number,
    packetNumberOffset: number,
    packetNumberLength: number,
    payloadEnd: number,
    packetNumber: number,
  ): number {
    const write = this.write
    invariant(write !== null, 'no 1-RTT write keys')
    invariant(payloadEnd - packetNumberOffset >= MIN_PROTECTED_LENGTH, 'payload too short for a header protection sample')
    write.current.seal(buffer, headerStart, packetNumberOffset + packetNumberLength, payloadEnd, packetNumber)
    protectHeader(write.header, this.mask, buffer, headerStart, packetNumberOffset, packetNumberLength)
    if (this.firstWritten === NONE) this.firstWritten = packetNumber
    this.sentSinceRead = true
    this.sealedPackets++
    return payloadEnd + TAG_LENGTH
  }

  /** Like PacketKeys.unprotectHeader. */
  unprotectHeader(buffer: Uint8Array, headerStart: number, packetNumberOffset: number, packetEnd: number): number {
    const read = this.read
    invariant(read !== null, 'no 1-RTT read keys')
    const packetNumber = unprotectHeader(read.header, this.mask, buffer, headerStart, packetNumberOffset, packetEnd)
    if (packetNumber >= 0) this.packetNumberLength = packetNumberLengthOf(buffer[headerStart]!)
    return packetNumber
  }

  /**
   * Opens a packet with the keys its Key Phase bit and its number call for, and follows a key update of the peer: afterwards
   * readGeneration has moved on, and writing has too if it was not ahead. `failed`: drop the packet.
   * `keyUpdateError`: close the connection with KEY_UPDATE_ERROR.
   */
  open(buffer: Uint8Array, headerStart: number, payloadStart: number, packetEnd: number, packetNumber: number): OpenResult {
    const read = this.read
    invariant(read !== null, 'no 1-RTT read keys')
    const phase = (buffer[headerStart]! & KEY_PHASE_BIT) === 0 ? 0 : 1
    if (phase !== (this.readGeneration & 1)) return this.openOtherPhase(read, buffer, headerStart, payloadStart, packetEnd, packetNumber)
    if (!read.current.open(buffer, headerStart, payloadStart, packetEnd, packetNumber)) return this.fail()
    if (this.lowestRead === NONE || packetNumber < this.lowestRead) this.lowestRead = packetNumber
    if (packetNumber > this.highestRead) this.highestRead = packetNumber
    this.openedGeneration = this.readGeneration
    return OpenResult.ok
  }

  // RFC 9001 §6.5: a number below all of the current phase belongs to the previous keys, one above them to the next.
  private openOtherPhase(
    read: KeyChain,
    buffer: Uint8Array,
    headerStart: number,
    payloadStart: number,
    packetEnd: number,
    packetNumber: number,
  ): OpenResult {
    const previous = this.readPrevious
    if (packetNumber < this.lowestRead) {
      // Without previous keys the next ones take the time in their place; nothing they could open would be legal (§6.3).
      const late = (previous ?? read.next).open(buffer, headerStart, payloadStart, packetEnd, packetNumber)
      if (!late) return this.fail()
      if (previous === null) return OpenResult.keyUpdateError
      this.openedGeneration = this.readGeneration - 1
      return OpenResult.ok
    }
    if (read.next.open(buffer, headerStart, payloadStart, packetEnd, packetNumber)) return this.follow(read, packetNumber)
    // §6.4: old keys on a packet numbered above one with newer keys.
    if (previous !== null && previous.open(buffer, headerStart, payloadStart, packetEnd, packetNumber)) return OpenResult.keyUpdateError
    return this.fail()
  }

  private follow(read: KeyChain, packetNumber: number): OpenResult {
    // §6.4 again: newer keys must not have smaller numbers than older ones had.
    if (packetNumber < this.highestRead) return OpenResult.keyUpdateError
    // §6.2: a second update before we sent anything since the first one: the peer did not wait for its confirmation.
    if (!this.sentSinceRead) return OpenResult.keyUpdateError
    this.readPrevious?.destroy()
    this.readPrevious = read.advance()
    this.readGeneration++
    this.openedGeneration = this.readGeneration
    this.lowestRead = packetNumber
    this.highestRead = packetNumber
    this.sentSinceRead = false
    // §6.2: "The endpoint MUST update its send keys to the corresponding key phase in response".
    if (this.write !== null && this.writeGeneration < this.readGeneration) this.advanceWrite(this.write)
    return OpenResult.ok
  }

  /**
   * An ACK of 1-RTT packets arrived in the packet opened last. Answers keyUpdateError when that packet used older keys than a
   * packet it acknowledges (§6.2), ok otherwise.
   */
  onAcked(largestAcked: number): OpenResult {
    if (this.firstWritten === NONE || largestAcked < this.firstWritten) return OpenResult.ok
    if (this.openedGeneration < this.writeGeneration) return OpenResult.keyUpdateError
    this.acknowledged = true
    return OpenResult.ok
  }

  /** §6.1: the peer has acknowledged a packet of this key phase, and has itself moved to it. The handshake must be confirmed too. */
  canInitiateUpdate(): boolean {
    return this.acknowledged && this.writeGeneration === this.readGeneration
  }

  /**
   * Moves the write keys on; the peer follows. Callers see to the handshake being confirmed and to the pause of three PTO after
   * the update before (§6.5). False, and nothing changed, when `canInitiateUpdate` is false.
   */
  initiateUpdate(): boolean {
    const write = this.write
    if (write === null || !this.canInitiateUpdate()) return false
    this.advanceWrite(write)
    return true
  }

  private advanceWrite(write: KeyChain): void {
    write.advance().destroy()
    this.writeGeneration++
    this.sealedPackets = 0
    this.firstWritten = NONE
    this.acknowledged = false
  }

  hasPrevious(): boolean {
    return this.readPrevious !== null
  }

  /** §6.5: to be called three PTO after readGeneration moved on. */
  discardPrevious(): void {
    this.readPrevious?.destroy()
    this.readPrevious = null
  }

  /** Time to initiate an update: half of what one key may seal is used up (§6.6). */
  wantsUpdate(): boolean {
    return this.sealedPackets * 2 >= cipherSuite(this.suite).confidentialityLimit
  }

  /** A limit of §6.6 is reached: no packet may be sealed or opened any more; AEAD_LIMIT_REACHED. */
  isExhausted(): boolean {
    const { confidentialityLimit, integrityLimit } = cipherSuite(this.suite)
    return this.sealedPackets >= confidentialityLimit || this.failedPackets > integrityLimit
  }

  destroy(): void {
    this.discardPrevious()
    this.read?.destroy()
    this.write?.destroy()
    this.read = null
    this.write = null
  }

  private fail(): OpenResult {
    this.failedPackets++
    return OpenResult.failed
  }
}
