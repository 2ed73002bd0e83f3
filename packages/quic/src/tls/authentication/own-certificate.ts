// Certificate and CertificateVerify of this side. RFC 9846 §4.5.1, §4.5.2; RFC 8879. It rests before CertificateVerify when the key signs
// asynchronously.

import type { CertificateCompressor, SignatureScheme } from '../../crypto/provider.ts'
import { EncryptionLevel } from '../../wire/constants.ts'
import { Alert, alert } from '../alerts.ts'
import { encodeCertificate } from '../codec/certificate.ts'
import { encodeCertificateVerify, signedContent } from '../codec/certificate-verify.ts'
import { encodeCompressedCertificate } from '../codec/compressed-certificate.ts'
import type { ServerCertificate } from '../config.ts'
import type { TlsAnswer } from '../events.ts'
import type { Handshake } from '../handshake.ts'
import { HANDSHAKE_SCHEMES } from '../signature-schemes.ts'
import type { HandshakeState } from '../state.ts'

/** A certificate, how its key will sign, and what the peer would like with it. */
export interface CertificateChoice {
  readonly certificate: ServerCertificate
  readonly scheme: SignatureScheme
  readonly statusRequest: boolean
  readonly certificateTimestamps: boolean
  /** Certificate compression the peer can undo. */
  readonly compression: readonly number[]
}

/** The first scheme of the key that both sides sign handshakes with. */
export function commonScheme({ key }: ServerCertificate, theirs: readonly number[]): SignatureScheme | null {
  for (const scheme of key.schemes) if (HANDSHAKE_SCHEMES.includes(scheme) && theirs.includes(scheme)) return scheme
  return null
}

/** `then` is what comes after CertificateVerify. */
export function sendCertificate(handshake: Handshake, choice: CertificateChoice, then: () => HandshakeState): HandshakeState {
  const { certificate, scheme } = choice
  handshake.send(EncryptionLevel.handshake, certificateMessage(handshake, choice))
  const content = signedContent(handshake.config.role, handshake.transcript.digest())
  const prove = (signature: Uint8Array | null): HandshakeState => {
    if (signature === null || signature.length === 0) throw alert(Alert.internalError, 'the key of our certificate could not sign')
    handshake.send(EncryptionLevel.handshake, encodeCertificateVerify(scheme, signature))
    return then()
  }
  const signature = certificate.key.sign(scheme, content)
  if (signature !== null) return prove(signature)
  handshake.events.push({ kind: 'need', need: 'sign', scheme, message: content, key: certificate.key })
  return {
    waiting: true,
    name: 'waiting for a signature',
    level: EncryptionLevel.handshake,
    onAnswer: (answer: TlsAnswer) => (answer.need === 'sign' ? prove(answer.signature) : null),
  }
}

/** Compression that saves less than this costs more than it gives: a chain that fits the first datagram anyway. */
const WORTHWHILE = 256

/** Compressed chains, made once for each certificate and what goes with it. Null: not worth it. */
const compressed = new WeakMap<ServerCertificate, Map<string, Uint8Array | null>>()

function certificateMessage({ config, provider }: Handshake, choice: CertificateChoice): Uint8Array {
  const { certificate, statusRequest, certificateTimestamps, compression } = choice
  const plain = encodeCertificate({
    chain: certificate.chain,
    ocspResponse: (statusRequest ? certificate.ocspResponse : undefined) ?? null,
    signedCertificateTimestamps: (certificateTimestamps ? certificate.signedCertificateTimestamps : undefined) ?? null,
  })
  if (config.certificateCompression === false || plain.length <= WORTHWHILE) return plain
  const compressor = provider.certificateCompressors.find(({ algorithm }) => compression.includes(algorithm))
  if (compressor === undefined) return plain
  const variant = `${provider.name} ${compressor.algorithm} ${statusRequest} ${certificateTimestamps}`
  return remember(certificate, variant, () => compressWorthwhile(plain, compressor)) ?? plain
}

function compressWorthwhile(plain: Uint8Array, compressor: CertificateCompressor): Uint8Array | null {
  const message = encodeCompressedCertificate(plain, compressor)
  return plain.length - message.length < WORTHWHILE ? null : message
}

function remember(certificate: ServerCertificate, variant: string, make: () => Uint8Array | null): Uint8Array | null {
  let variants = compressed.get(certificate)
  if (variants === undefined) {
    variants = new Map()
    compressed.set(certificate, variants)
  }
  const known = variants.get(variant)
  if (known !== undefined) return known
  const made = make()
  variants.set(variant, made)
  return made
}
