// Where transmit() puts a datagram. The caller owns the buffer and sends [0, length) to `path` before the next call.

import { EMPTY } from '../../base/bytes.ts'
import type { PathAddress } from '../../path/path-address.ts'

export class Transmit {
  /** At least 65 535 bytes is always enough; fewer bound the size of datagrams. */
  buffer: Uint8Array
  length: number
  path: PathAddress | null
  /** ECN codepoint to mark the datagram with: 0 none. */
  ecn: number

  constructor(buffer: Uint8Array = EMPTY) {
    this.buffer = buffer
    this.length = 0
    this.path = null
    this.ecn = 0
  }
}
