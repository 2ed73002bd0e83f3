// A private key that lives elsewhere: in a device, a key service, another process. Only its signatures come here.

import type { PrivateKey, SignatureScheme } from '@quicwire/quic'

export interface ExternalKey {
  readonly kind: PrivateKey['kind']
  /** In IANA's numbers, most preferred first. Default: all the handshake knows for this kind. */
  readonly schemes?: readonly SignatureScheme[] | undefined
  /**
   * The signature over `message`, which is not hashed yet, as TLS carries it: ECDSA in DER, RSASSA-PSS with a salt as long as the hash. A
   * rejection ends the handshake with internal_error.
   */
  sign(scheme: SignatureScheme, message: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** RFC 9846 §4.3.3. */
const SCHEMES: Readonly<Record<PrivateKey['kind'], readonly SignatureScheme[]>> = {
  p256: [0x0403],
  p384: [0x0503],
  ed25519: [0x0807],
  rsa: [0x0804, 0x0805, 0x0806],
}

type Signer = (scheme: SignatureScheme, message: Uint8Array) => Uint8Array | Promise<Uint8Array>

const signers = new WeakMap<PrivateKey, Signer>()

/** For CertificateOption.key. */
export function externalKey(key: ExternalKey): PrivateKey {
  const handle: PrivateKey = { kind: key.kind, schemes: key.schemes ?? SCHEMES[key.kind], pkcs8: null, sign: () => null }
  signers.set(handle, (scheme, message) => key.sign(scheme, message))
  return handle
}

/** Null: the key is not one of externalKey(). */
export function externalSigner(key: PrivateKey): Signer | null {
  return signers.get(key) ?? null
}
