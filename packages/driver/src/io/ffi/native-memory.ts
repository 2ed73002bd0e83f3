// Memory that native code and JavaScript both use. The bytes of an ArrayBuffer of its own never move; they live as long as this object.

import type { NodeFfi } from './node-ffi.ts'

export class NativeMemory {
  readonly bytes: Buffer
  readonly words: Int32Array
  /** A user's address on x86-64 and arm64 is below 2^53. */
  readonly address: number

  /** Zeroed; `size` a multiple of four. */
  constructor(ffi: NodeFfi, size: number) {
    const memory = new ArrayBuffer(size)
    this.bytes = Buffer.from(memory)
    this.words = new Int32Array(memory)
    this.address = Number(ffi.getRawPointer(memory))
  }

  /** For passing to a native function. */
  pointer(offset: number = 0): bigint {
    return BigInt(this.address + offset)
  }

  /** Writes a pointer; both architectures are little-endian. */
  setPointer(offset: number, address: number): void {
    this.words[offset >> 2] = address % 0x1_0000_0000 | 0
    this.words[(offset >> 2) + 1] = Math.floor(address / 0x1_0000_0000)
  }
}
