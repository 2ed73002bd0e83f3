// Packets that arrived before their keys (RFC 9001 §5.7): a few are kept, the rest must be sent again by the peer.

import { copyBytes } from '../../base/bytes.ts'
import type { PathAddress } from '../../path/path-address.ts'

/** Packets kept; beyond this they are dropped, as any lost packet. */
const CAPACITY = 16

/** Bytes kept. */
const MAX_BYTES = 65_536

export interface DeferredPacket {
  readonly bytes: Uint8Array
  readonly address: PathAddress
  /** The ECN codepoint of the datagram it came in. */
  readonly ecn: number
  /** ms */
  readonly receivedAt: number
}

export class DeferredPackets {
  private packets: DeferredPacket[]
  private bytes: number

  constructor() {
    this.packets = []
    this.bytes = 0
  }

  get length(): number {
    return this.packets.length
  }

  /** Copies the packet out of its datagram; false when there is no room. */
  add(buffer: Uint8Array, start: number, end: number, address: PathAddress, ecn: number, receivedAt: number): boolean {
    if (this.packets.length >= CAPACITY || this.bytes + end - start > MAX_BYTES) return false
    this.bytes += end - start
    this.packets.push({ bytes: copyBytes(buffer.subarray(start, end)), address, ecn, receivedAt })
    return true
  }

  /** Everything kept so far, in order of arrival; the room is empty afterwards. */
  take(): readonly DeferredPacket[] {
    const taken = this.packets
    this.packets = []
    this.bytes = 0
    return taken
  }
}
