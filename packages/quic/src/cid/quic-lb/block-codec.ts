// The encryption of the plaintext block, server ID and nonce (draft-ietf-quic-load-balancers §5.4): nothing without a key, one
// AES block for exactly 16 bytes, and otherwise a Feistel network of four rounds over halves that may meet in the middle of a byte.

import type { BlockCipher, QuicLbConfig } from './config.ts'

const BLOCK_LENGTH = 16

export class BlockCodec {
  readonly length: number
  private readonly config: QuicLbConfig
  private readonly halfLength: number
  private readonly isOdd: boolean
  private readonly block: Uint8Array
  private readonly left: Uint8Array
  private readonly right: Uint8Array

  constructor(config: QuicLbConfig) {
    this.config = config
    this.length = config.serverIdLength + config.nonceLength
    this.halfLength = (this.length + 1) >> 1
    this.isOdd = this.length % 2 === 1
    this.block = new Uint8Array(BLOCK_LENGTH)
    this.left = new Uint8Array(this.halfLength)
    this.right = new Uint8Array(this.halfLength)
  }

  /** Encrypts `length` bytes of `bytes` at `start`, in place. */
  encrypt(bytes: Uint8Array, start: number): void {
    const { cipher } = this.config
    if (cipher === null) return
    if (this.length === BLOCK_LENGTH) {
      cipher.encrypt(bytes.subarray(start, start + BLOCK_LENGTH))
      return
    }
    this.split(bytes, start)
    this.mixRight(cipher, 1)
    this.mixLeft(cipher, 2)
    this.mixRight(cipher, 3)
    this.mixLeft(cipher, 4)
    this.join(bytes, start)
  }

  /** The server ID in `length` bytes of `bytes` at `start`, which stay as they are. */
  serverId(bytes: Uint8Array, start: number): Uint8Array<ArrayBuffer> {
    const { cipher, serverIdLength, nonceLength } = this.config
    const plain = new Uint8Array(this.length)
    plain.set(bytes.subarray(start, start + this.length))
    if (cipher === null) return plain.slice(0, serverIdLength)
    if (this.length === BLOCK_LENGTH) {
      cipher.decrypt(plain)
      return plain.slice(0, serverIdLength)
    }
    this.split(plain, 0)
    this.mixLeft(cipher, 4)
    this.mixRight(cipher, 3)
    this.mixLeft(cipher, 2)
    // §5.5.2: a server ID that is no longer than the nonce lies in the left half.
    if (serverIdLength > nonceLength) this.mixRight(cipher, 1)
    this.join(plain, 0)
    return plain.slice(0, serverIdLength)
  }

  private split(bytes: Uint8Array, start: number): void {
    const { halfLength, left, right } = this
    for (let i = 0; i < halfLength; i += 1) {
      left[i] = bytes[start + i]!
      right[i] = bytes[start + this.length - halfLength + i]!
    }
    this.clearLeft()
    this.clearRight()
  }

  private join(bytes: Uint8Array, start: number): void {
    const { halfLength, left, right } = this
    for (let i = 0; i < halfLength; i += 1) bytes[start + i] = left[i]!
    const rightStart = start + this.length - halfLength
    // Of an odd length the byte in the middle has four bits of each half.
    bytes[rightStart] = this.isOdd ? bytes[rightStart]! | right[0]! : right[0]!
    for (let i = 1; i < halfLength; i += 1) bytes[rightStart + i] = right[i]!
  }

  private mixRight(cipher: BlockCipher, pass: number): void {
    this.xorWithEncrypted(cipher, this.left, this.right, pass)
    this.clearRight()
  }

  private mixLeft(cipher: BlockCipher, pass: number): void {
    this.xorWithEncrypted(cipher, this.right, this.left, pass)
    this.clearLeft()
  }

  /** §5.4.2.2: the input of expand() is the half, zeros, the length of both halves and the pass. */
  private xorWithEncrypted(cipher: BlockCipher, from: Uint8Array, into: Uint8Array, pass: number): void {
    const { block, halfLength } = this
    block.fill(0)
    block.set(from)
    block[14] = this.length
    block[15] = pass
    cipher.encrypt(block)
    for (let i = 0; i < halfLength; i += 1) into[i]! ^= block[i]!
  }

  private clearLeft(): void {
    if (this.isOdd) this.left[this.halfLength - 1]! &= 0xf0
  }

  private clearRight(): void {
    if (this.isOdd) this.right[0]! &= 0x0f
  }
}
