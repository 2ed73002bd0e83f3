// encrypted_client_hello as a client sends it that has no configuration for it: random bytes in the shape of an encrypted hello, so
// that those with one inside do not stand out. RFC 9849 §5, §6.2. A server of ours passes over every form of it.

import { Alert, alert } from '../alerts.ts'
import { BlockWriter, finish, open, vector16 } from '../codec/block.ts'

const OUTER = 0
const HKDF_SHA256 = 1
const AES_128_GCM = 1
/** An X25519 public key: every string of this length is one. */
const ENCAPSULATED_KEY = 32
const TAG = 16
const SMALLEST_HELLO = 128
const CONFIRMATION = 8

/** Random bytes one hello takes: a size, a configuration id, a key and the longest payload. */
export const GREASE_ECH_RANDOM_LENGTH: number = 2 + ENCAPSULATED_KEY + SMALLEST_HELLO + 3 * 32 + TAG

/** RFC 9849 §6.2: the payload is as long as that of a padded hello (§6.1.3), a multiple of 32 and the tag. */
export function greaseEncryptedHello(random: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = SMALLEST_HELLO + (random[0]! & 3) * 32 + TAG
  const writer = new BlockWriter()
  writer.u8(OUTER)
  writer.u16(HKDF_SHA256)
  writer.u16(AES_128_GCM)
  writer.u8(random[1]!)
  writer.vector16(random.subarray(2, 2 + ENCAPSULATED_KEY))
  writer.vector16(random.subarray(2 + ENCAPSULATED_KEY, 2 + ENCAPSULATED_KEY + length))
  return writer.take()
}

/** RFC 9849 §6.2: the answer in EncryptedExtensions is checked for its form (§4) and not used. */
export function checkRetryConfigurations(body: Uint8Array): void {
  const reader = open(body)
  const list = open(vector16(reader))
  finish(reader, 'the ECH configurations')
  let count = 0
  while (!list.failed && list.remaining > 0) {
    list.u16()
    vector16(list)
    count++
  }
  finish(list, 'the ECH configurations')
  if (count === 0) throw alert(Alert.decodeError, 'the list of ECH configurations is empty')
}

/** The same for the answer in a HelloRetryRequest (RFC 9849 §5). */
export function checkRetryConfirmation(body: Uint8Array): void {
  if (body.length !== CONFIRMATION) throw alert(Alert.decodeError, `the ECH confirmation is ${body.length} bytes long`)
}
