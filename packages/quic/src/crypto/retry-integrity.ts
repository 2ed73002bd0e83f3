// The integrity tag of Retry packets (RFC 9001 §5.8): AES-128-GCM over nothing, with the Retry Pseudo-Packet as associated
// data. Key and nonce are public and belong to the version: the tag says only that its maker saw the client's Initial.

import { equalConstantTime } from '../base/bytes.ts'
import { versionSecrets } from './labels.ts'
import { CipherSuite, TAG_LENGTH, type CryptoProvider } from './provider.ts'

/** The 16-byte tag for a Retry packet given without one. `originalDcid`: Destination Connection ID of the Initial it answers. */
export function retryIntegrityTag(
  provider: CryptoProvider,
  version: number,
  originalDcid: Uint8Array,
  retryPacketWithoutTag: Uint8Array,
): Uint8Array {
  const { retryKey, retryNonce } = versionSecrets(version)
  const end = 1 + originalDcid.length + retryPacketWithoutTag.length
  const pseudoPacket = new Uint8Array(end + TAG_LENGTH)
  pseudoPacket[0] = originalDcid.length
  pseudoPacket.set(originalDcid, 1)
  pseudoPacket.set(retryPacketWithoutTag, 1 + originalDcid.length)
  const key = provider.aead(CipherSuite.aes128GcmSha256, retryKey, retryNonce)
  // Packet number 0 leaves the nonce as it is given.
  key.seal(pseudoPacket, 0, end, end, 0)
  key.destroy()
  return pseudoPacket.slice(end)
}

/** Whether the last 16 bytes of a received Retry packet are its integrity tag. */
export function isRetryAuthentic(provider: CryptoProvider, version: number, originalDcid: Uint8Array, retryPacket: Uint8Array): boolean {
  if (retryPacket.length < TAG_LENGTH) return false
  const tagStart = retryPacket.length - TAG_LENGTH
  const expected = retryIntegrityTag(provider, version, originalDcid, retryPacket.subarray(0, tagStart))
  return equalConstantTime(expected, retryPacket.subarray(tagStart))
}
