// The peer's Certificate, compressed or not, judged as configured. RFC 9846 §4.5.1.3; RFC 8879 §4.

import type { CertificateCompressor } from '../../crypto/provider.ts'
import { parseCertificate } from '../certificates/parse.ts'
import type { ParsedCertificate } from '../certificates/parse.ts'
import { verifyPinned } from '../certificates/pinned.ts'
import { TrustAnchors } from '../certificates/roots.ts'
import { verifyChain } from '../certificates/verify.ts'
import { decodeCertificate } from '../codec/certificate.ts'
import type { CertificateMessage } from '../codec/certificate.ts'
import { decompressCertificate } from '../codec/compressed-certificate.ts'
import { HandshakeType } from '../codec/message.ts'
import type { HandshakeMessage } from '../codec/message.ts'
import type { VerifyPolicy } from '../config.ts'
import type { VerifyItem } from '../events.ts'
import type { Handshake } from '../handshake.ts'

/** The peer as known after its Certificate. */
export interface PeerIdentity {
  readonly leaf: ParsedCertificate
  /** Signatures of the chain nobody has checked yet. */
  readonly open: readonly VerifyItem[]
}

/** What this side can decompress, and so offers. */
export function offeredCompression({ config, provider }: Handshake): readonly CertificateCompressor[] {
  return config.certificateCompression === false ? [] : provider.certificateCompressors
}

/** Null: not a Certificate, in no form that was offered. `asked`: the extension types of the message it answers. */
export function readCertificate(handshake: Handshake, message: HandshakeMessage, asked: readonly number[]): CertificateMessage | null {
  if (message.type === HandshakeType.certificate) return decodeCertificate(message.body, asked)
  const offered = offeredCompression(handshake)
  if (message.type !== HandshakeType.compressedCertificate || offered.length === 0) return null
  return decodeCertificate(decompressCertificate(message.body, offered), asked)
}

/** Throws CertificateError. `chain` is not empty; the signature of CertificateVerify is still to come. */
export function judgePeer(handshake: Handshake, policy: VerifyPolicy, { chain }: CertificateMessage): PeerIdentity {
  const peer = handshake.config.role === 'client' ? 'server' : 'client'
  const leaf = parseCertificate(chain[0]!, `the certificate of the ${peer}`)
  handshake.peerCertificates = chain
  if (policy.mode === 'insecure') return { leaf, open: [] }
  const unixTimeMs = policy.unixTimeMs ?? handshake.now
  // Signatures still open are checked before the handshake goes on.
  handshake.verified = true
  if (policy.mode === 'pinned') {
    verifyPinned(handshake.provider, policy.hashes, leaf, unixTimeMs)
    return { leaf, open: [] }
  }
  const roots = policy.roots instanceof TrustAnchors ? policy.roots : TrustAnchors.from(policy.roots)
  const intermediates = chain.slice(1).map((der) => parseCertificate(der, 'an intermediate certificate'))
  const serverName = peer === 'server' ? (handshake.config.serverName ?? '') : null
  const open = verifyChain({ provider: handshake.provider, leaf, intermediates, roots, peer, serverName, unixTimeMs })
  return { leaf, open }
}
