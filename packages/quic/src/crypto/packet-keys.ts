// Packet protection of one direction at one encryption level (RFC 9001 §5): AEAD, header protection, and the counters its
// limits are held against (§6.6). Everything works in place on the caller's buffer. 1-RTT has its own room: one-rtt-keys.ts.

import { EMPTY } from '../base/bytes.ts'
import { invariant } from '../base/assert.ts'
import { MASK_LENGTH, SAMPLE_OFFSET, packetNumberLengthOf, protectHeader, unprotectHeader } from './header-protection.ts'
import { hkdfExpandLabel } from './hkdf.ts'
import { quicLabels } from './labels.ts'
import { TAG_LENGTH, cipherSuite, type AeadKey, type CipherSuiteId, type CryptoProvider, type HeaderKey } from './provider.ts'

/** The AEAD key of a traffic secret (RFC 9001 §5.1). */
export function packetAead(provider: CryptoProvider, suite: CipherSuiteId, secret: Uint8Array, version: number = 1): AeadKey {
  const labels = quicLabels(version)
  invariant(labels !== null, 'no key labels for this version')
  const { hash, keyLength, ivLength } = cipherSuite(suite)
  const key = hkdfExpandLabel(provider, hash, secret, labels.key, EMPTY, keyLength)
  const iv = hkdfExpandLabel(provider, hash, secret, labels.iv, EMPTY, ivLength)
  const aead = provider.aead(suite, key, iv)
  key.fill(0)
  iv.fill(0)
  return aead
}

/** The header protection key of a traffic secret (RFC 9001 §5.4). */
export function packetHeaderKey(provider: CryptoProvider, suite: CipherSuiteId, secret: Uint8Array, version: number = 1): HeaderKey {
  const labels = quicLabels(version)
  invariant(labels !== null, 'no key labels for this version')
  const { hash, keyLength } = cipherSuite(suite)
  const key = hkdfExpandLabel(provider, hash, secret, labels.headerProtection, EMPTY, keyLength)
  const headerKey = provider.headerKey(suite, key)
  key.fill(0)
  return headerKey
}

/** Smallest distance from the packet number field to the end of the payload: short of it the sample would miss the packet. */
export const MIN_PROTECTED_LENGTH: number = SAMPLE_OFFSET

export class PacketKeys {
  readonly suite: CipherSuiteId
  /** Length of the packet number unprotectHeader found last, in bytes. */
  packetNumberLength: number
  sealedPackets: number
  failedPackets: number
  private readonly confidentialityLimit: number
  private readonly integrityLimit: number
  private readonly aead: AeadKey
  private readonly header: HeaderKey
  private readonly mask: Uint8Array

  constructor(provider: CryptoProvider, suite: CipherSuiteId, secret: Uint8Array, version: number = 1) {
    const info = cipherSuite(suite)
    this.suite = suite
    this.packetNumberLength = 0
    this.sealedPackets = 0
    this.failedPackets = 0
    this.confidentialityLimit = info.confidentialityLimit
    this.integrityLimit = info.integrityLimit
    this.aead = packetAead(provider, suite, secret, version)
    this.header = packetHeaderKey(provider, suite, secret, version)
    this.mask = new Uint8Array(MASK_LENGTH)
  }

  /**
   * Seals the payload [packetNumberOffset + packetNumberLength, payloadEnd), protects the header and answers the end of the
   * packet, tag included. The payload must end at least MIN_PROTECTED_LENGTH after `packetNumberOffset`: pad it (RFC 9001 §5.4.2).
   */
  protect(
    buffer: Uint8Array,
    headerStart: number,
    packetNumberOffset: number,
    packetNumberLength: number,
    payloadEnd: number,
    packetNumber: number,
  ): number {
    invariant(payloadEnd - packetNumberOffset >= MIN_PROTECTED_LENGTH, 'payload too short for a header protection sample')
    this.aead.seal(buffer, headerStart, packetNumberOffset + packetNumberLength, payloadEnd, packetNumber)
    protectHeader(this.header, this.mask, buffer, headerStart, packetNumberOffset, packetNumberLength)
    this.sealedPackets++
    return payloadEnd + TAG_LENGTH
  }

  /** Removes header protection in place; answers the truncated packet number, or -1 when the packet is too short. */
  unprotectHeader(buffer: Uint8Array, headerStart: number, packetNumberOffset: number, packetEnd: number): number {
    const packetNumber = unprotectHeader(this.header, this.mask, buffer, headerStart, packetNumberOffset, packetEnd)
    if (packetNumber >= 0) this.packetNumberLength = packetNumberLengthOf(buffer[headerStart]!)
    return packetNumber
  }

  /** Opens [payloadStart, packetEnd): true leaves the plaintext in [payloadStart, packetEnd - 16), false leaves all as it was. */
  open(buffer: Uint8Array, headerStart: number, payloadStart: number, packetEnd: number, packetNumber: number): boolean {
    if (this.aead.open(buffer, headerStart, payloadStart, packetEnd, packetNumber)) return true
    this.failedPackets++
    return false
  }

  /** RFC 9001 §6.6: a limit is reached and the connection has to end with AEAD_LIMIT_REACHED: these keys are never updated. */
  isExhausted(): boolean {
    return this.sealedPackets >= this.confidentialityLimit || this.failedPackets > this.integrityLimit
  }

  destroy(): void {
    this.aead.destroy()
    this.header.destroy()
    this.mask.fill(0)
  }
}
