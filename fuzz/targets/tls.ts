// The parsers of TLS: every handshake message, the extensions with a form of their own, certificates, tickets.

import { rootCertificates } from 'node:tls'
import { fromHex, utf8 } from '../../packages/quic/src/base/bytes.ts'
import { nodeProvider } from '../../packages/quic/src/crypto/node/index.ts'
import { certificatesFromPem } from '../../packages/quic/src/tls/certificates/pem.ts'
import { parseCertificate } from '../../packages/quic/src/tls/certificates/parse.ts'
import { decodeCertificate, encodeCertificate } from '../../packages/quic/src/tls/codec/certificate.ts'
import { decodeCertificateRequest, encodeCertificateRequest } from '../../packages/quic/src/tls/codec/certificate-request.ts'
import { decodeCertificateVerify } from '../../packages/quic/src/tls/codec/certificate-verify.ts'
import { decodeClientHello, encodeClientHello, type ClientOffer } from '../../packages/quic/src/tls/codec/client-hello.ts'
import { decompressCertificate, encodeCompressedCertificate } from '../../packages/quic/src/tls/codec/compressed-certificate.ts'
import { decodeEncryptedExtensions, encodeEncryptedExtensions } from '../../packages/quic/src/tls/codec/encrypted-extensions.ts'
import { HandshakeType } from '../../packages/quic/src/tls/codec/message.ts'
import { decodeNewSessionTicket, encodeNewSessionTicket } from '../../packages/quic/src/tls/codec/new-session-ticket.ts'
import { decodeServerHello, encodeHelloRetryRequest, encodeServerHello } from '../../packages/quic/src/tls/codec/server-hello.ts'
import { readProtocols } from '../../packages/quic/src/tls/extensions/alpn.ts'
import { readAuthorities } from '../../packages/quic/src/tls/extensions/certificate-authorities.ts'
import { readTimestampRequest, readTimestamps } from '../../packages/quic/src/tls/extensions/certificate-timestamps.ts'
import { readCompressionAlgorithms } from '../../packages/quic/src/tls/extensions/compress-certificate.ts'
import { checkRetryConfigurations, checkRetryConfirmation, greaseEncryptedHello } from '../../packages/quic/src/tls/extensions/encrypted-client-hello.ts'
import { readClientShares, readSelectedGroup, readServerShare } from '../../packages/quic/src/tls/extensions/key-share.ts'
import { readOidFilters } from '../../packages/quic/src/tls/extensions/oid-filters.ts'
import { readOfferedPsks, readPskModes } from '../../packages/quic/src/tls/extensions/pre-shared-key.ts'
import { readServerName } from '../../packages/quic/src/tls/extensions/server-name.ts'
import { readCertificateStatus, readStatusRequest } from '../../packages/quic/src/tls/extensions/status-request.ts'
import { MessageReader } from '../../packages/quic/src/tls/message-reader.ts'
import { decodeTicketContent, encodeTicketContent } from '../../packages/quic/src/tls/resumption/ticket-content.ts'
import { EncryptionLevel } from '../../packages/quic/src/wire/constants.ts'
import { TransportError } from '../../packages/quic/src/wire/transport-error.ts'
import { pieces, promised, type Target } from '../target.ts'
import { rfc8448Bodies, rfc8448Messages } from '../vectors.ts'

const expected = (error: unknown): boolean => error instanceof TransportError
const never = (): boolean => false

const filled = (length: number, first: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (first + i) & 0xff)
/** Without the message's header. */
const body = (message: Uint8Array): Uint8Array => message.slice(4)

/** What a client may have asked for: every answer is legal somewhere. */
const ASKED = [0, 5, 10, 13, 16, 18, 27, 41, 42, 43, 45, 50, 51, 57, 0xfe0d]

const SHARE = { group: 0x001d, key: filled(32, 7) }

const OFFER: ClientOffer = {
  random: filled(32, 1),
  cipherSuites: [0x1301, 0x1302, 0x1303],
  groups: [0x001d, 0x0017],
  signatureSchemes: [0x0403, 0x0804],
  certificateSchemes: [0x0403, 0x0401],
  shares: [SHARE],
  alpn: ['h3', 'hq-interop'],
  serverName: 'fuzz.example',
  transportParameters: Uint8Array.of(4, 1, 10),
  cookie: filled(20, 3),
  statusRequest: true,
  certificateTimestamps: true,
  compression: [1, 2],
  pskModes: true,
  psk: { identity: filled(40, 9), obfuscatedAge: 5, binderLength: 32 },
  earlyData: false,
  grease: null,
}

const REQUEST = {
  signatureSchemes: [0x0403, 0x0804],
  certificateSchemes: [0x0403, 0x0401],
  authorities: [fromHex('300b310930070603550403130041')],
  compression: [1],
}

/** Of usage and of purposes. */
const OID_FILTERS = fromHex('0020050603551d0f000403020780050603551d25000c300a06082b06010505070302')

/** Every reader of an extension's body. */
const EXTENSION_READERS: readonly ((body: Uint8Array) => unknown)[] = [
  readProtocols,
  readAuthorities,
  readTimestampRequest,
  readTimestamps,
  readCompressionAlgorithms,
  checkRetryConfigurations,
  checkRetryConfirmation,
  readClientShares,
  readSelectedGroup,
  readServerShare,
  readOidFilters,
  readOfferedPsks,
  readPskModes,
  readServerName,
  readCertificateStatus,
  readStatusRequest,
]

/** A good body for each of them. */
const EXTENSION_BODIES: readonly Uint8Array[] = [
  greaseEncryptedHello(filled(64, 1)),
  fromHex('0100000530030a0100'),
  fromHex('000400020102'),
  fromHex('0100000000'),
  OID_FILTERS,
  fromHex('0003026833'),
  fromHex('000f000d300b310930070603550403130041'),
  fromHex('0400010002'),
  fromHex('0006001d0002aabb'),
  fromHex('0017'),
  fromHex('001d0002aabb'),
  Uint8Array.of(0, 8, 0, 2, 1, 2, 0, 0, 0, 5, 0, 33, 32, ...filled(32, 3)),
  fromHex('0101'),
  fromHex('000700000468302e78'),
  filled(8, 1),
  new Uint8Array(0),
]

/** Two of the roots that Node carries, and what RFC 8448 shows. */
const roots = certificatesFromPem(rootCertificates.slice(0, 6).join('\n'))
const certificate = encodeCertificate({
  chain: roots.slice(0, 2),
  ocspResponse: Uint8Array.of(0x30, 3, 0x0a, 1, 0),
  signedCertificateTimestamps: Uint8Array.of(0, 4, 0, 2, 1, 2),
})
const compressors = nodeProvider.certificateCompressors ?? []

function messageTarget(name: string, type: number, made: readonly Uint8Array[], decode: (input: Uint8Array) => unknown): Target {
  const corpus = [...made.map(body), ...rfc8448Bodies(type)]
  return { name, corpus, expected, run: (input) => void decode(input) }
}

export const tlsTargets: readonly Target[] = [
  messageTarget('client-hello', HandshakeType.clientHello, [
    encodeClientHello(OFFER),
    encodeClientHello({ ...OFFER, psk: null, cookie: null, earlyData: false }),
  ], decodeClientHello),
  messageTarget('server-hello', HandshakeType.serverHello, [
    encodeServerHello(filled(32, 1), 0x1301, SHARE, null),
    encodeServerHello(filled(32, 1), 0x1302, SHARE, 0),
    encodeHelloRetryRequest(0x1301, 0x0017, filled(30, 2)),
    encodeHelloRetryRequest(0x1301, 0x0017, null),
  ], (input) => decodeServerHello(input, ASKED)),
  messageTarget('encrypted-extensions', HandshakeType.encryptedExtensions, [
    encodeEncryptedExtensions('h3', filled(20, 4), true, true),
    encodeEncryptedExtensions('h3', filled(20, 4), false, false),
  ], (input) => decodeEncryptedExtensions(input, ASKED)),
  messageTarget('certificate-request', HandshakeType.certificateRequest, [encodeCertificateRequest(REQUEST)], decodeCertificateRequest),
  messageTarget('certificate', HandshakeType.certificate, [certificate], (input) => decodeCertificate(input, ASKED)),
  messageTarget('compressed-certificate', HandshakeType.compressedCertificate,
    compressors.map((compressor) => encodeCompressedCertificate(certificate, compressor)),
    (input) => decodeCertificate(decompressCertificate(input, compressors), ASKED)),
  messageTarget('certificate-verify', HandshakeType.certificateVerify, [], decodeCertificateVerify),
  messageTarget('new-session-ticket', HandshakeType.newSessionTicket, [
    encodeNewSessionTicket({ lifetime: 7200, ageAdd: 77, nonce: Uint8Array.of(1), ticket: filled(64, 1), earlyData: true }),
  ], decodeNewSessionTicket),
  {
    name: 'x509',
    corpus: roots,
    expected,
    run: (input) => void parseCertificate(input, 'a certificate'),
  },
  {
    name: 'tls-extensions',
    corpus: EXTENSION_BODIES,
    expected,
    run: (input, random) => void EXTENSION_READERS[random.below(EXTENSION_READERS.length)]!(input),
  },
  {
    name: 'tls-messages',
    corpus: rfc8448Messages,
    expected,
    run(input, random) {
      const reader = new MessageReader()
      let given = 0
      for (const piece of pieces(input, random)) {
        reader.push(EncryptionLevel.handshake, piece)
        for (let next = reader.next(EncryptionLevel.handshake); next !== null; next = reader.next(EncryptionLevel.handshake)) given += next.bytes.length
      }
      promised(given + reader.pending(EncryptionLevel.handshake) === input.length, 'every byte is in a message or pending')
    },
  },
  {
    name: 'ticket-content',
    corpus: [
      encodeTicketContent({
        cipherSuite: 0x1301,
        psk: filled(32, 2),
        ageAdd: 5,
        authenticatedAt: 1000,
        alpn: 'h3',
        serverName: 'fuzz.example',
        earlyData: true,
        context: filled(20, 8),
      }),
      utf8('\u0001'),
    ],
    expected: never,
    run: (input) => void decodeTicketContent(input),
  },
]
