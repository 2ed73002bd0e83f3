// The seam between the protocol and the mathematics: what QUIC and TLS 1.3 need from a cryptographic library.
// Two providers implement it (node/, noble/) and pass one conformance suite. Everything is synchronous; an operation that
// a provider can only do asynchronously answers null, and the caller turns that into a request to its own owner.
// Keys are objects built once and used per packet; they work in place on the caller's buffer and allocate nothing of their own.
// Sections: RFC 9001 §5 (packet and header protection), §6.6 (AEAD limits); RFC 9846 §4.3 and §9.1 (groups, signature schemes, suites).

import type { RandomSource } from '../base/random.ts'

export type { RandomSource } from '../base/random.ts'

export type HashName = 'sha256' | 'sha384'

export const CipherSuite = {
  aes128GcmSha256: 0x1301,
  aes256GcmSha384: 0x1302,
  chacha20Poly1305Sha256: 0x1303,
} as const
export type CipherSuiteId = (typeof CipherSuite)[keyof typeof CipherSuite]

/** The fixed facts of one cipher suite. Lengths in bytes; limits in packets. */
export interface CipherSuiteInfo {
  readonly id: CipherSuiteId
  readonly name: 'TLS_AES_128_GCM_SHA256' | 'TLS_AES_256_GCM_SHA384' | 'TLS_CHACHA20_POLY1305_SHA256'
  readonly hash: HashName
  readonly hashLength: 32 | 48
  readonly keyLength: 16 | 32
  readonly ivLength: 12
  readonly tagLength: 16
  /** Packets that may be sealed with one key (RFC 9001 §6.6). Infinity: more than the packet numbers there are. */
  readonly confidentialityLimit: number
  /** Packets that may fail to authenticate in one connection, over all of its keys (RFC 9001 §6.6). */
  readonly integrityLimit: number
}

const AES_128_GCM: CipherSuiteInfo = {
  id: CipherSuite.aes128GcmSha256,
  name: 'TLS_AES_128_GCM_SHA256',
  hash: 'sha256',
  hashLength: 32,
  keyLength: 16,
  ivLength: 12,
  tagLength: 16,
  confidentialityLimit: 2 ** 23,
  integrityLimit: 2 ** 52,
}

const AES_256_GCM: CipherSuiteInfo = {
  id: CipherSuite.aes256GcmSha384,
  name: 'TLS_AES_256_GCM_SHA384',
  hash: 'sha384',
  hashLength: 48,
  keyLength: 32,
  ivLength: 12,
  tagLength: 16,
  confidentialityLimit: 2 ** 23,
  integrityLimit: 2 ** 52,
}

const CHACHA20_POLY1305: CipherSuiteInfo = {
  id: CipherSuite.chacha20Poly1305Sha256,
  name: 'TLS_CHACHA20_POLY1305_SHA256',
  hash: 'sha256',
  hashLength: 32,
  keyLength: 32,
  ivLength: 12,
  tagLength: 16,
  confidentialityLimit: Infinity,
  integrityLimit: 2 ** 36,
}

export function cipherSuite(id: CipherSuiteId): CipherSuiteInfo {
  switch (id) {
    case CipherSuite.aes128GcmSha256:
      return AES_128_GCM
    case CipherSuite.aes256GcmSha384:
      return AES_256_GCM
    case CipherSuite.chacha20Poly1305Sha256:
      return CHACHA20_POLY1305
  }
}

export function isCipherSuite(id: number): id is CipherSuiteId {
  return id === 0x1301 || id === 0x1302 || id === 0x1303
}

/** Output length of a hash, in bytes. */
export function hashLength(name: HashName): 32 | 48 {
  return name === 'sha256' ? 32 : 48
}

/** Bytes of the authentication tag every suite appends. */
export const TAG_LENGTH = 16

/** One AEAD key with its IV. The nonce of a packet is the IV xor its packet number (RFC 9001 §5.3). */
export interface AeadKey {
  /**
   * Encrypts buffer[start, end) in place, authenticating buffer[aadStart, start) beside it, and writes the 16-byte tag at `end`:
   * the caller leaves that room.
   */
  seal(buffer: Uint8Array, aadStart: number, start: number, end: number, packetNumber: number): void
  /**
   * Opens buffer[start, end), tag included: true leaves the plaintext in [start, end - 16). False (not authentic, or shorter
   * than a tag) leaves the buffer as it was, so another key can be tried on it.
   */
  open(buffer: Uint8Array, aadStart: number, start: number, end: number, packetNumber: number): boolean
  /** Forgets the key. Using it afterwards is a bug. */
  destroy(): void
}

/** One header protection key (RFC 9001 §5.4). */
export interface HeaderKey {
  /** Writes the mask for the 16-byte sample at `sampleOffset` to out[0, 5). */
  mask(buffer: Uint8Array, sampleOffset: number, out: Uint8Array): void
  destroy(): void
}

export interface HashContext {
  update(data: Uint8Array): void
  /** The hash of everything so far; more may be added afterwards. */
  digest(): Uint8Array
}

/** Named groups in IANA's numbers. Further groups are further rows here and in a provider's group table. */
export const NamedGroup = {
  secp256r1: 0x0017,
  secp384r1: 0x0018,
  x25519: 0x001d,
  secp256r1MlKem768: 0x11eb,
  x25519MlKem768: 0x11ec,
} as const
export type NamedGroup = (typeof NamedGroup)[keyof typeof NamedGroup]

/** One ephemeral key of one group. */
export interface KeyExchange {
  readonly group: NamedGroup
  /**
   * What goes into the key share: 32 bytes for x25519, an uncompressed point for the NIST curves (RFC 9846 §4.3.8.2), an
   * ML-KEM-768 encapsulation key and an x25519 key for x25519MlKem768, a point and an encapsulation key for secp256r1MlKem768
   * (draft-ietf-tls-ecdhe-mlkem §4.1).
   */
  readonly publicKey: Uint8Array
  /** The shared secret, or null when the share that answered is not legal in this group. */
  sharedSecret(peerPublic: Uint8Array): Uint8Array | null
  /** Forgets the private half, where the platform lets it be overwritten. Using it afterwards is a bug. */
  destroy(): void
}

/** The answering side of a key exchange, whose share may depend on the one it answers. */
export interface KeyAgreement {
  /** The share to send back. */
  readonly share: Uint8Array
  readonly sharedSecret: Uint8Array
}

/**
 * Signature schemes in IANA's numbers. The last two are ours (private use range) and never on the wire of the handshake: in
 * certificates the hash need not belong to the curve.
 */
export const SignatureScheme = {
  rsaPkcs1Sha256: 0x0401,
  rsaPkcs1Sha384: 0x0501,
  rsaPkcs1Sha512: 0x0601,
  ecdsaSecp256r1Sha256: 0x0403,
  ecdsaSecp384r1Sha384: 0x0503,
  rsaPssRsaeSha256: 0x0804,
  rsaPssRsaeSha384: 0x0805,
  rsaPssRsaeSha512: 0x0806,
  ed25519: 0x0807,
  certificateSecp256r1Sha384: 0xfe01,
  certificateSecp384r1Sha256: 0xfe02,
} as const
export type SignatureScheme = (typeof SignatureScheme)[keyof typeof SignatureScheme]

export type KeyKind = 'p256' | 'p384' | 'ed25519' | 'rsa'

/** A key that signs. An application may implement this itself, for a key that lives in a device or a service. */
export interface PrivateKey {
  readonly kind: KeyKind
  /** The schemes this key can sign with, in order of preference. */
  readonly schemes: readonly SignatureScheme[]
  /** The key's own bytes, PKCS#8 DER, where they are at hand: the answerer of a sign request can hand them to WebCrypto. */
  readonly pkcs8: Uint8Array | null
  /** The signature as TLS carries it (ECDSA in DER), or null when it can only be made asynchronously. */
  sign(scheme: SignatureScheme, message: Uint8Array): Uint8Array | null
}

/** Both halves in DER: PKCS#8 and SubjectPublicKeyInfo. */
export interface KeyPairBytes {
  readonly pkcs8: Uint8Array
  readonly spki: Uint8Array
}

/** Bytes of a block of AES. */
export const BLOCK_LENGTH = 16

/** AES-128 in ECB mode, one block at a time and in place. Never for data: equal blocks stay equal. */
export interface BlockCipher {
  encrypt(block: Uint8Array): void
  decrypt(block: Uint8Array): void
}

/** One way to shorten a chain of certificates (RFC 8879). */
export interface CertificateCompressor {
  /** RFC 8879 §7.3: 1 zlib, 2 brotli, 3 zstd. */
  readonly algorithm: number
  compress(bytes: Uint8Array): Uint8Array
  /** Exactly `length` bytes, or null: not of this algorithm, or longer or shorter than that. Never makes more than `length`. */
  decompress(bytes: Uint8Array, length: number): Uint8Array | null
}

export interface CryptoProvider {
  readonly name: string
  readonly random: RandomSource
  /** Groups for key exchange, in order of preference. */
  readonly groups: readonly NamedGroup[]
  /** In order of preference; empty where the platform brings none along. */
  readonly certificateCompressors: readonly CertificateCompressor[]
  hash(name: HashName, data: Uint8Array): Uint8Array
  createHash(name: HashName): HashContext
  hmac(name: HashName, key: Uint8Array, data: Uint8Array): Uint8Array
  aead(suite: CipherSuiteId, key: Uint8Array, iv: Uint8Array): AeadKey
  headerKey(suite: CipherSuiteId, key: Uint8Array): HeaderKey
  /** AES-128 on single blocks, for connection IDs that load balancers read (QUIC-LB). `key` has 16 bytes. */
  blockCipher(key: Uint8Array): BlockCipher
  /** A fresh ephemeral key, for the side that sends its share first. */
  keyExchange(group: NamedGroup): KeyExchange
  /** Answers the share of the other side; null when it is not a legal key of this group. */
  answerKeyExchange(group: NamedGroup, peerPublic: Uint8Array): KeyAgreement | null
  /** PEM (PKCS#8, SEC1 or PKCS#1) or PKCS#8 DER. Throws KeyImportError. */
  importPrivateKey(key: string | Uint8Array): PrivateKey
  /**
   * True when `signature` over `message` is good for the public key in SubjectPublicKeyInfo DER. A malformed or unfitting key
   * is false. Null: this provider cannot tell synchronously (RSA without node:crypto).
   */
  verify(scheme: SignatureScheme, spki: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean | null
  /** A new key pair for signing. Throws KeyImportError with QUIC_PRIVATE_KEY_UNSUPPORTED where the provider lacks the kind. */
  generateKeyPair(kind: 'p256' | 'p384' | 'ed25519' | 'rsa2048'): KeyPairBytes
}

export type KeyImportErrorCode = 'QUIC_PRIVATE_KEY_MALFORMED' | 'QUIC_PRIVATE_KEY_ENCRYPTED' | 'QUIC_PRIVATE_KEY_UNSUPPORTED'

/** The key that was configured cannot be used. A local error: no peer can cause it. */
export class KeyImportError extends Error {
  override readonly name: string
  readonly code: KeyImportErrorCode

  constructor(code: KeyImportErrorCode, message: string) {
    super(message)
    this.name = 'KeyImportError'
    this.code = code
  }
}
