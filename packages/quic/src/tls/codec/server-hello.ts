// ServerHello and the HelloRetryRequest that wears its clothes. RFC 9846 §4.2.3, §4.2.4.

import { equalBytes } from '../../base/bytes.ts'
import { Alert, alert } from '../alerts.ts'
import { checkRetryConfirmation } from '../extensions/encrypted-client-hello.ts'
import { readSelectedGroup, readServerShare } from '../extensions/key-share.ts'
import type { KeyShareEntry } from '../extensions/key-share.ts'
import { ExtensionSite, ExtensionType, readExtensions } from '../extensions/registry.ts'
import type { ExtensionBlock } from '../extensions/registry.ts'
import { finish, message, open, vector16, vector8 } from './block.ts'
import { LEGACY_VERSION, TLS_1_3 } from './client-hello.ts'
import { HandshakeType } from './message.ts'

/** SHA-256 of "HelloRetryRequest": the random that tells the two apart. */
const RETRY_RANDOM: Uint8Array = /* @__PURE__ */ Uint8Array.of(
  0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
  0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
)

export interface ServerHello {
  readonly retry: false
  readonly random: Uint8Array
  readonly cipherSuite: number
  readonly share: KeyShareEntry
  /** Index of the pre-shared key the server took; null: a full handshake. */
  readonly selectedIdentity: number | null
}

export interface HelloRetryRequest {
  readonly retry: true
  readonly cipherSuite: number
  /** Null: no key_share, so only the cookie changes the next hello. */
  readonly selectedGroup: number | null
  readonly cookie: Uint8Array | null
}

/** `selectedIdentity`: null for a full handshake. */
export function encodeServerHello(
  random: Uint8Array,
  cipherSuite: number,
  share: KeyShareEntry,
  selectedIdentity: number | null,
): Uint8Array<ArrayBuffer> {
  return encode(random, cipherSuite, share.group, share.key, selectedIdentity, null)
}

/** `cookie`: null for none. */
export function encodeHelloRetryRequest(cipherSuite: number, group: number, cookie: Uint8Array | null): Uint8Array<ArrayBuffer> {
  return encode(RETRY_RANDOM, cipherSuite, group, null, null, cookie)
}

function encode(
  random: Uint8Array,
  cipherSuite: number,
  group: number,
  key: Uint8Array | null,
  selectedIdentity: number | null,
  cookie: Uint8Array | null,
): Uint8Array<ArrayBuffer> {
  return message(HandshakeType.serverHello, (writer) => {
    writer.u16(LEGACY_VERSION)
    writer.bytes(random)
    writer.u8(0)
    writer.u16(cipherSuite)
    writer.u8(0)
    const extensions = writer.begin(2)
    writer.u16(ExtensionType.supportedVersions)
    writer.u16(2)
    writer.u16(TLS_1_3)
    writer.u16(ExtensionType.keyShare)
    const share = writer.begin(2)
    writer.u16(group)
    if (key !== null) writer.vector16(key)
    writer.end(share, 2)
    if (selectedIdentity !== null) {
      writer.u16(ExtensionType.preSharedKey)
      writer.u16(2)
      writer.u16(selectedIdentity)
    }
    if (cookie !== null) {
      writer.u16(ExtensionType.cookie)
      const body = writer.begin(2)
      writer.vector16(cookie)
      writer.end(body, 2)
    }
    writer.end(extensions, 2)
  })
}

/** `asked`: the extension types of the ClientHello this answers. */
export function decodeServerHello(body: Uint8Array, asked: readonly number[]): ServerHello | HelloRetryRequest {
  const reader = open(body)
  const legacyVersion = reader.u16()
  const random = reader.view(32)
  const sessionId = vector8(reader)
  const cipherSuite = reader.u16()
  const compression = reader.u8()
  if (reader.failed) throw alert(Alert.decodeError, 'ServerHello is cut short')
  if (legacyVersion !== LEGACY_VERSION) throw alert(Alert.protocolVersion, `ServerHello has legacy_version ${legacyVersion}`)
  if (reader.remaining === 0) throw alert(Alert.protocolVersion, 'ServerHello has no extensions, so it is not TLS 1.3')
  const retry = equalBytes(random, RETRY_RANDOM)
  const site = retry ? ExtensionSite.helloRetryRequest : ExtensionSite.serverHello
  const what = retry ? 'HelloRetryRequest' : 'ServerHello'
  const extensions = readExtensions(reader, site, asked, what)
  finish(reader, what)
  checkVersion(extensions, what)
  if (sessionId.length !== 0) throw alert(Alert.illegalParameter, `${what} echoes a session id that was not sent`)
  if (compression !== 0) throw alert(Alert.illegalParameter, `${what} selects compression`)
  const share = extensions.get(ExtensionType.keyShare)
  if (retry) {
    const encryptedHello = extensions.get(ExtensionType.encryptedClientHello)
    if (encryptedHello !== null) checkRetryConfirmation(encryptedHello)
    const selectedGroup = share === null ? null : readSelectedGroup(share)
    return { retry, cipherSuite, selectedGroup, cookie: readCookie(extensions) }
  }
  const selectedIdentity = readSelectedIdentity(extensions)
  if (share === null) {
    // RFC 9846 §4.3.11: psk_ke was not among the modes offered.
    if (selectedIdentity !== null) throw alert(Alert.illegalParameter, 'ServerHello takes a pre-shared key without key_share')
    throw alert(Alert.missingExtension, 'ServerHello has no key_share')
  }
  return { retry, random, cipherSuite, share: readServerShare(share), selectedIdentity }
}

function readSelectedIdentity(extensions: ExtensionBlock): number | null {
  const body = extensions.get(ExtensionType.preSharedKey)
  if (body === null) return null
  const reader = open(body)
  const index = reader.u16()
  finish(reader, 'pre_shared_key')
  return index
}

function checkVersion(extensions: ExtensionBlock, what: string): void {
  const body = extensions.get(ExtensionType.supportedVersions)
  if (body === null) throw alert(Alert.protocolVersion, `${what} does not select TLS 1.3`)
  const reader = open(body)
  const version = reader.u16()
  finish(reader, 'supported_versions')
  if (version !== TLS_1_3) throw alert(Alert.illegalParameter, `${what} selects version ${version}`)
}

function readCookie(extensions: ExtensionBlock): Uint8Array | null {
  const body = extensions.get(ExtensionType.cookie)
  if (body === null) return null
  const reader = open(body)
  const cookie = vector16(reader)
  finish(reader, 'cookie')
  if (cookie.length === 0) throw alert(Alert.decodeError, 'cookie is empty')
  return cookie
}
