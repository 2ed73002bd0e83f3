// Which extension may stand in which message (RFC 9846 §4.3, Table 1, with RFC 9001 §8.2), and the one reader of extension blocks.
// A block holds each type once; a known type in the wrong message is illegal_parameter; an answer to something that was not
// asked is unsupported_extension; an unknown type is skipped where the message makes requests rather than answers.

import type { Reader } from '../../wire/reader.ts'
import { Alert, alert } from '../alerts.ts'
import { finish, open, vector16 } from '../codec/block.ts'

export const ExtensionType = {
  serverName: 0,
  statusRequest: 5,
  supportedGroups: 10,
  signatureAlgorithms: 13,
  alpn: 16,
  signedCertificateTimestamp: 18,
  compressCertificate: 27,
  preSharedKey: 41,
  earlyData: 42,
  supportedVersions: 43,
  cookie: 44,
  certificateAuthorities: 47,
  oidFilters: 48,
  pskKeyExchangeModes: 45,
  signatureAlgorithmsCert: 50,
  keyShare: 51,
  quicTransportParameters: 57,
  encryptedClientHello: 0xfe0d,
} as const

/** The messages that carry extensions, as bits. */
export const ExtensionSite = {
  clientHello: 1,
  serverHello: 2,
  helloRetryRequest: 4,
  encryptedExtensions: 8,
  certificate: 16,
  certificateRequest: 32,
  newSessionTicket: 64,
} as const
export type ExtensionSite = (typeof ExtensionSite)[keyof typeof ExtensionSite]

const { clientHello: CH, serverHello: SH, helloRetryRequest: HRR, encryptedExtensions: EE } = ExtensionSite
const { certificate: CT, certificateRequest: CR, newSessionTicket: NST } = ExtensionSite

/** Messages whose extensions answer the ClientHello, or the CertificateRequest. */
const ANSWERS = SH | HRR | EE | CT

function legalSites(type: number): number {
  switch (type) {
    case 0: // server_name
      return CH | EE | CR
    case 10: // supported_groups
    case 14: // use_srtp
    case 15: // heartbeat
    case 16: // application_layer_protocol_negotiation
    case 19: // client_certificate_type
    case 20: // server_certificate_type
    case 28: // record_size_limit
    case 57: // quic_transport_parameters
    case 58: // ticket_request
      return CH | EE
    case 5: // status_request
    case 18: // signed_certificate_timestamp
    case 34: // delegated_credential
      return CH | CR | CT
    case 13: // signature_algorithms
    case 27: // compress_certificate
    case 47: // certificate_authorities
    case 50: // signature_algorithms_cert
      return CH | CR
    case 21: // padding
    case 45: // psk_key_exchange_modes
    case 49: // post_handshake_auth
      return CH
    case 41: // pre_shared_key
      return CH | SH
    case 42: // early_data
      return CH | EE | NST
    case 43: // supported_versions
    case 51: // key_share
      return CH | SH | HRR
    case 44: // cookie
      return CH | HRR
    case 0xfe0d: // encrypted_client_hello (RFC 9849 §11.1)
      return CH | HRR | EE
    case 48: // oid_filters
      return CR
    default:
      return 0
  }
}

/** Extensions of one message, in wire order. */
export class ExtensionBlock {
  readonly types: number[]
  readonly bodies: Uint8Array[]

  constructor() {
    this.types = []
    this.bodies = []
  }

  get(type: number): Uint8Array | null {
    return this.bodies[this.types.indexOf(type)] ?? null
  }

  has(type: number): boolean {
    return this.types.includes(type)
  }
}

// A message of 64 KiB has room for 16 384 empty extensions; nobody sends more than a few dozen.
const MAX_EXTENSIONS = 256

/**
 * Reads `Extension extensions<..>` with its two-byte length. `asked` are the types of our ClientHello, or of our
 * CertificateRequest, and matter only where the message answers it.
 */
export function readExtensions(reader: Reader, site: ExtensionSite, asked: readonly number[], what: string): ExtensionBlock {
  const block = new ExtensionBlock()
  const list = open(vector16(reader))
  while (!reader.failed && !list.failed && list.remaining > 0) {
    const type = list.u16()
    const body = vector16(list)
    if (list.failed) break
    if (block.has(type)) throw alert(Alert.illegalParameter, `${what} has extension ${type} twice`)
    if (block.types.length === MAX_EXTENSIONS) throw alert(Alert.decodeError, `${what} has more than ${MAX_EXTENSIONS} extensions`)
    const legal = legalSites(type)
    if (legal !== 0 && (legal & site) === 0) throw alert(Alert.illegalParameter, `extension ${type} may not stand in ${what}`)
    if ((site & ANSWERS) !== 0 && !asked.includes(type) && !(site === HRR && type === ExtensionType.cookie)) {
      throw alert(Alert.unsupportedExtension, `${what} answers extension ${type}, which was not asked`)
    }
    block.types.push(type)
    block.bodies.push(body)
  }
  finish(list, `the extension block of ${what}`)
  return block
}
