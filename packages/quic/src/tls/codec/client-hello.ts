// ClientHello, both ways. RFC 9846 §4.2.2; RFC 9001 §8.4 forbids the session id of middlebox compatibility mode.
// Decoding checks the form and what is illegal by itself; choosing from it is server/negotiate's.

import { Alert, alert, protocolViolation } from '../alerts.ts'
import { ExtensionSite, ExtensionType, readExtensions } from '../extensions/registry.ts'
import type { ExtensionBlock } from '../extensions/registry.ts'
import { readClientShares } from '../extensions/key-share.ts'
import type { KeyShareEntry } from '../extensions/key-share.ts'
import type { Grease } from '../extensions/grease.ts'
import { PSK_DHE_KE, readOfferedPsks, readPskModes, writePskOffer } from '../extensions/pre-shared-key.ts'
import type { OfferedPsks, PskOffer } from '../extensions/pre-shared-key.ts'
import { readProtocols, writeProtocols } from '../extensions/alpn.ts'
import { readTimestampRequest } from '../extensions/certificate-timestamps.ts'
import { readCompressionAlgorithms, writeCompressionAlgorithms } from '../extensions/compress-certificate.ts'
import { readServerName, writeServerName } from '../extensions/server-name.ts'
import { readStatusRequest, writeStatusRequest } from '../extensions/status-request.ts'
import { finish, message, open, readNumberList16, readNumbers, vector16, vector8 } from './block.ts'
import { HandshakeType } from './message.ts'

export const LEGACY_VERSION = 0x0303
export const TLS_1_3 = 0x0304

/** What a client puts into a ClientHello. After a HelloRetryRequest the second differs in `shares`, `cookie`, `psk`, `earlyData` only. */
export interface ClientOffer {
  readonly random: Uint8Array
  readonly cipherSuites: readonly number[]
  readonly groups: readonly number[]
  readonly signatureSchemes: readonly number[]
  readonly certificateSchemes: readonly number[]
  readonly shares: readonly KeyShareEntry[]
  readonly alpn: readonly string[]
  /** Null: no SNI. */
  readonly serverName: string | null
  readonly transportParameters: Uint8Array
  readonly cookie: Uint8Array | null
  readonly statusRequest: boolean
  readonly certificateTimestamps: boolean
  /** Certificate compression we can undo; empty: none. */
  readonly compression: readonly number[]
  /** The server may give tickets. */
  readonly pskModes: boolean
  readonly psk: PskOffer | null
  readonly earlyData: boolean
  readonly grease: Grease | null
}

/** The extension types encodeClientHello() writes and a server may answer: not GREASE (RFC 8701 §3.1). */
export function askedExtensions(offer: ClientOffer): number[] {
  const asked: number[] = [
    ExtensionType.supportedVersions,
    ExtensionType.supportedGroups,
    ExtensionType.signatureAlgorithms,
    ExtensionType.signatureAlgorithmsCert,
    ExtensionType.keyShare,
    ExtensionType.alpn,
    ExtensionType.quicTransportParameters,
  ]
  if (offer.serverName !== null) asked.push(ExtensionType.serverName)
  if (offer.statusRequest) asked.push(ExtensionType.statusRequest)
  if (offer.certificateTimestamps) asked.push(ExtensionType.signedCertificateTimestamp)
  if (offer.grease !== null) asked.push(ExtensionType.encryptedClientHello)
  if (offer.pskModes) asked.push(ExtensionType.pskKeyExchangeModes)
  if (offer.earlyData) asked.push(ExtensionType.earlyData)
  if (offer.psk !== null) asked.push(ExtensionType.preSharedKey)
  return asked
}

/** With a session offered, its binder is left zero at the very end. */
export function encodeClientHello(offer: ClientOffer): Uint8Array<ArrayBuffer> {
  return message(HandshakeType.clientHello, (writer) => {
    const extension = (type: number, build: () => void): void => {
      writer.u16(type)
      const body = writer.begin(2)
      build()
      writer.end(body, 2)
    }
    const numbers = (list: readonly number[], grease?: number): void => {
      const block = writer.begin(2)
      if (grease !== undefined) writer.u16(grease)
      for (const value of list) writer.u16(value)
      writer.end(block, 2)
    }
    const { serverName, cookie, compression, grease, psk } = offer
    writer.u16(LEGACY_VERSION)
    writer.bytes(offer.random)
    writer.u8(0)
    numbers(offer.cipherSuites, grease?.cipherSuite)
    writer.u8(1)
    writer.u8(0)
    const extensions = writer.begin(2)
    if (grease !== null) extension(grease.emptyExtension, () => undefined)
    if (serverName !== null) extension(ExtensionType.serverName, () => writeServerName(writer, serverName))
    if (offer.statusRequest) extension(ExtensionType.statusRequest, () => writeStatusRequest(writer))
    if (offer.certificateTimestamps) extension(ExtensionType.signedCertificateTimestamp, () => undefined)
    if (compression.length > 0) extension(ExtensionType.compressCertificate, () => writeCompressionAlgorithms(writer, compression))
    extension(ExtensionType.supportedGroups, () => numbers(offer.groups, grease?.group))
    extension(ExtensionType.signatureAlgorithms, () => numbers(offer.signatureSchemes))
    extension(ExtensionType.signatureAlgorithmsCert, () => numbers(offer.certificateSchemes))
    extension(ExtensionType.alpn, () => writeProtocols(writer, offer.alpn))
    extension(ExtensionType.supportedVersions, () => {
      const versions = writer.begin(1)
      if (grease !== null) writer.u16(grease.version)
      writer.u16(TLS_1_3)
      writer.end(versions, 1)
    })
    if (cookie !== null) extension(ExtensionType.cookie, () => writer.vector16(cookie))
    extension(ExtensionType.keyShare, () => {
      const list = writer.begin(2)
      for (const share of offer.shares) {
        writer.u16(share.group)
        writer.vector16(share.key)
      }
      writer.end(list, 2)
    })
    extension(ExtensionType.quicTransportParameters, () => writer.bytes(offer.transportParameters))
    if (offer.pskModes) extension(ExtensionType.pskKeyExchangeModes, () => writer.vector8(Uint8Array.of(PSK_DHE_KE)))
    if (offer.earlyData) extension(ExtensionType.earlyData, () => undefined)
    if (grease !== null) {
      extension(ExtensionType.encryptedClientHello, () => writer.bytes(grease.encryptedHello))
      extension(grease.fullExtension, () => writer.u8(0))
    }
    if (psk !== null) extension(ExtensionType.preSharedKey, () => writePskOffer(writer, psk))
    writer.end(extensions, 2)
  })
}

/** A ClientHello for TLS 1.3 that has every extension such a hello must have. */
export interface ClientHello {
  readonly random: Uint8Array
  readonly cipherSuites: readonly number[]
  readonly groups: readonly number[]
  readonly signatureSchemes: readonly number[]
  readonly shares: readonly KeyShareEntry[]
  /** Null: no ALPN extension. */
  readonly alpn: readonly string[] | null
  readonly serverName: string | null
  readonly transportParameters: Uint8Array
  readonly cookie: Uint8Array | null
  /** The client wants an OCSP response. */
  readonly statusRequest: boolean
  readonly certificateTimestamps: boolean
  /** Certificate compression the client can undo. */
  readonly compression: readonly number[]
  readonly earlyData: boolean
  /** Empty without the extension: no tickets then. */
  readonly pskModes: readonly number[]
  readonly psks: OfferedPsks | null
}

export function decodeClientHello(body: Uint8Array): ClientHello {
  const reader = open(body)
  const legacyVersion = reader.u16()
  const random = reader.view(32)
  const sessionId = vector8(reader)
  const cipherSuites = vector16(reader)
  const compression = vector8(reader)
  if (reader.failed) throw alert(Alert.decodeError, 'ClientHello is cut short')
  if (legacyVersion !== LEGACY_VERSION) throw alert(Alert.protocolVersion, `ClientHello has legacy_version ${legacyVersion}`)
  if (sessionId.length > 32) throw alert(Alert.decodeError, 'legacy_session_id is longer than 32 bytes')
  const suites = readNumbers(cipherSuites, 'cipher_suites')
  // A hello of TLS 1.2 may end here; it gets the alert about its version, not about its form.
  if (reader.remaining === 0) throw alert(Alert.protocolVersion, 'ClientHello has no extensions, so it is not for TLS 1.3')
  const extensions = readExtensions(reader, ExtensionSite.clientHello, [], 'ClientHello')
  finish(reader, 'ClientHello')
  requireTls13(extensions)
  if (sessionId.length !== 0) throw protocolViolation('ClientHello asks for TLS middlebox compatibility mode')
  if (compression.length !== 1 || compression[0] !== 0) throw alert(Alert.illegalParameter, 'ClientHello offers compression')
  const psks = readPreSharedKeys(extensions)
  const modes = extensions.get(ExtensionType.pskKeyExchangeModes)
  const serverName = extensions.get(ExtensionType.serverName)
  const alpn = extensions.get(ExtensionType.alpn)
  return {
    random,
    cipherSuites: suites,
    groups: readNumberList16(required(extensions, ExtensionType.supportedGroups, 'supported_groups'), 'supported_groups'),
    signatureSchemes: readSignatureSchemes(extensions, psks !== null),
    shares: readClientShares(required(extensions, ExtensionType.keyShare, 'key_share')),
    alpn: alpn === null ? null : readProtocols(alpn),
    serverName: serverName === null ? null : readServerName(serverName),
    transportParameters: required(extensions, ExtensionType.quicTransportParameters, 'quic_transport_parameters'),
    cookie: readCookie(extensions.get(ExtensionType.cookie)),
    ...readCertificateWishes(extensions),
    earlyData: readEarlyData(extensions),
    pskModes: modes === null ? [] : readPskModes(modes),
    psks,
  }
}

const SCHEMES = 'signature_algorithms'

// RFC 9846 §9.2: needed unless a pre-shared key is offered.
function readSignatureSchemes(extensions: ExtensionBlock, optional: boolean): number[] {
  if (optional && !extensions.has(ExtensionType.signatureAlgorithms)) return []
  return readNumberList16(required(extensions, ExtensionType.signatureAlgorithms, SCHEMES), SCHEMES)
}

function readCertificateWishes(
  extensions: ExtensionBlock,
): Pick<ClientHello, 'statusRequest' | 'certificateTimestamps' | 'compression'> {
  const status = extensions.get(ExtensionType.statusRequest)
  const timestamps = extensions.get(ExtensionType.signedCertificateTimestamp)
  const compression = extensions.get(ExtensionType.compressCertificate)
  if (timestamps !== null) readTimestampRequest(timestamps)
  return {
    statusRequest: status !== null && readStatusRequest(status),
    certificateTimestamps: timestamps !== null,
    compression: compression === null ? [] : readCompressionAlgorithms(compression),
  }
}

function readEarlyData(extensions: ExtensionBlock): boolean {
  const body = extensions.get(ExtensionType.earlyData)
  if (body !== null && body.length !== 0) throw alert(Alert.decodeError, 'early_data is not empty')
  return body !== null
}

function requireTls13(extensions: ExtensionBlock): void {
  const body = extensions.get(ExtensionType.supportedVersions)
  if (body === null) throw alert(Alert.protocolVersion, 'ClientHello has no supported_versions, so it is not for TLS 1.3')
  const reader = open(body)
  const versions = readNumbers(vector8(reader), 'supported_versions')
  finish(reader, 'supported_versions')
  if (!versions.includes(TLS_1_3)) throw alert(Alert.protocolVersion, 'ClientHello does not offer TLS 1.3')
}

// RFC 9846 §4.3.11 and §4.3.9: last in the hello, and never without the modes.
function readPreSharedKeys(extensions: ExtensionBlock): OfferedPsks | null {
  const position = extensions.types.indexOf(ExtensionType.preSharedKey)
  if (position === -1) return null
  if (position !== extensions.types.length - 1) throw alert(Alert.illegalParameter, 'pre_shared_key is not the last extension')
  if (!extensions.has(ExtensionType.pskKeyExchangeModes)) {
    throw alert(Alert.missingExtension, 'pre_shared_key without psk_key_exchange_modes')
  }
  return readOfferedPsks(extensions.bodies[position]!)
}

function required(extensions: ExtensionBlock, type: number, name: string): Uint8Array {
  const body = extensions.get(type)
  if (body === null) throw alert(Alert.missingExtension, `ClientHello has no ${name}`)
  return body
}

function readCookie(body: Uint8Array | null): Uint8Array | null {
  if (body === null) return null
  const reader = open(body)
  const cookie = vector16(reader)
  finish(reader, 'cookie')
  if (cookie.length === 0) throw alert(Alert.decodeError, 'cookie is empty')
  return cookie
}
