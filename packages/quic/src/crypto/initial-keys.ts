// Secrets of Initial packets, from the Destination Connection ID of the client's first Initial (RFC 9001 §5.2). Anybody on
// the path can compute them. The salt belongs to the QUIC version (labels.ts).

import { EMPTY } from '../base/bytes.ts'
import { hkdfExpandLabel, hkdfExtract } from './hkdf.ts'
import { CLIENT_INITIAL_LABEL, SERVER_INITIAL_LABEL, versionSecrets } from './labels.ts'
import { CipherSuite, type CipherSuiteId, type CryptoProvider } from './provider.ts'

/** RFC 9001 §5.2: Initial packets use AEAD_AES_128_GCM and SHA-256, whatever the handshake negotiates. */
export const INITIAL_CIPHER_SUITE: CipherSuiteId = CipherSuite.aes128GcmSha256

export interface InitialSecrets {
  readonly client: Uint8Array
  readonly server: Uint8Array
}

/** The two secrets PacketKeys are built from, with INITIAL_CIPHER_SUITE. `version` must be one this implementation speaks. */
export function initialSecrets(provider: CryptoProvider, version: number, clientDestinationCid: Uint8Array): InitialSecrets {
  const secret = hkdfExtract(provider, 'sha256', versionSecrets(version).initialSalt, clientDestinationCid)
  return {
    client: hkdfExpandLabel(provider, 'sha256', secret, CLIENT_INITIAL_LABEL, EMPTY, 32),
    server: hkdfExpandLabel(provider, 'sha256', secret, SERVER_INITIAL_LABEL, EMPTY, 32),
  }
}
