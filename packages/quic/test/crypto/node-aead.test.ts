// The node AEAD keeps scratch and a view from call to call: whatever is sealed where, it must agree with the plain twin, noble.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nobleProvider } from '../../src/crypto/noble/index.ts'
import { nodeProvider } from '../../src/crypto/node/index.ts'
import { CipherSuite } from '../../src/crypto/provider.ts'

const KEY = new Uint8Array(16).fill(7)
const IV = new Uint8Array(12).fill(9)

const step = fc.record({
  buffer: fc.nat(2),
  aadStart: fc.constantFrom(0, 0, 0, 3),
  aadLength: fc.constantFrom(0, 11, 12, 63, 64, 65, 100),
  length: fc.constantFrom(0, 1, 40, 40, 41),
  fill: fc.nat(255),
  packetNumber: fc.nat(),
})

describe('node AEAD beside the noble one', () => {
  it('seals and opens the same wherever it works', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const node = nodeProvider.aead(CipherSuite.aes128GcmSha256, KEY, IV)
        const second = nodeProvider.aead(CipherSuite.aes128GcmSha256, KEY.map((byte) => byte ^ 1), IV)
        const noble = nobleProvider.aead(CipherSuite.aes128GcmSha256, KEY, IV)
        const buffers = [new Uint8Array(300), Buffer.alloc(300), new Uint8Array(400).subarray(50, 350)]
        for (const { buffer: index, aadStart, aadLength, length, fill, packetNumber } of steps) {
          const buffer = buffers[index]!
          const start = aadStart + aadLength
          const end = start + length
          buffer.fill(fill)
          const twin = new Uint8Array(buffer)
          // Another key in between must not leave its traces in the scratch.
          second.seal(new Uint8Array(200), 0, 20, 60, packetNumber)
          node.seal(buffer, aadStart, start, end, packetNumber)
          noble.seal(twin, aadStart, start, end, packetNumber)
          expect(new Uint8Array(buffer)).toEqual(twin)
          expect(node.open(buffer, aadStart, start, end + 16, packetNumber)).toBe(true)
          expect(buffer.subarray(0, end).every((byte) => byte === fill)).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
  })
})
