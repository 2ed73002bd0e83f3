// Packet numbers that are never used (RFC 9000 §21.4): a peer that acknowledges one acknowledges what it has not received. Which
// ones is random, for a peer that knew could leave them out. The first comes within the first flights, the others a few hundred
// packets apart: each costs the peer an ACK range and an immediate ACK.

import type { RandomSource } from '../base/random.ts'

/** The first one is among the numbers 1 to 32. */
const FIRST_WITHIN = 32
const LEAST_DISTANCE = 256
/** Added to the least distance, uniformly. A power of two. */
const RANDOM_DISTANCE = 512

export class PacketNumberSkips {
  /** The next number to leave out, Infinity: none ever. */
  next: number
  private readonly random: RandomSource
  private readonly draw: Uint8Array

  constructor(random: RandomSource, enabled: boolean) {
    this.random = random
    this.draw = new Uint8Array(2)
    this.next = enabled ? 1 + (this.word() % FIRST_WITHIN) : Infinity
  }

  /** `next` was left out: chooses another one. */
  advance(): void {
    this.next += LEAST_DISTANCE + (this.word() % RANDOM_DISTANCE)
  }

  private word(): number {
    this.random.fill(this.draw)
    return this.draw[0]! | (this.draw[1]! << 8)
  }
}
