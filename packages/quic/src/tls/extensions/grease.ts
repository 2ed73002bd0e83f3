// GREASE: values nobody may choose or trip over. RFC 8701; RFC 9849 §6.2 for encrypted_client_hello. A client of ours sends them; a server of ours ignores them like
// everything it does not know.

import { GREASE_ECH_RANDOM_LENGTH, greaseEncryptedHello } from './encrypted-client-hello.ts'

/** The reserved values of one ClientHello; the one after a HelloRetryRequest repeats them. */
export interface Grease {
  readonly cipherSuite: number
  readonly group: number
  readonly version: number
  /** An empty extension, and one with a byte in it: two types. */
  readonly emptyExtension: number
  readonly fullExtension: number
  /** The body of an encrypted_client_hello that encrypts nothing. */
  readonly encryptedHello: Uint8Array
}

const VALUES = 5

export const GREASE_RANDOM_LENGTH: number = VALUES + GREASE_ECH_RANDOM_LENGTH

/** From random bytes. RFC 8701 §2: 0x0a0a, 0x1a1a ... 0xfafa. */
export function greaseFrom(random: Uint8Array): Grease {
  const value = (index: number, step: number = 0): number => ((((random[index]! + step) & 0x0f) << 4) | 0x0a) * 0x0101
  const emptyExtension = value(3)
  const drawn = value(4)
  return {
    cipherSuite: value(0),
    group: value(1),
    version: value(2),
    emptyExtension,
    fullExtension: drawn === emptyExtension ? value(4, 1) : drawn,
    encryptedHello: greaseEncryptedHello(random.subarray(VALUES)),
  }
}
