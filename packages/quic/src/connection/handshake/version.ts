// Which QUIC version a connection speaks (RFC 9368): the client's first flight has the original version, the server may answer in a
// compatible one, and the Version Information of both proves that nobody else had a say. RFC 9369 §4.1 for versions 1 and 2: the
// client learns of the change from the first Initial packet in the other version.

import { EMPTY, concatBytes } from '../../base/bytes.ts'
import type { PacketKeys } from '../../crypto/packet-keys.ts'
import { decodeClientHello } from '../../tls/codec/client-hello.ts'
import { HandshakeType, MESSAGE_HEADER } from '../../tls/codec/message.ts'
import { MAX_MESSAGE } from '../../tls/message-reader.ts'
import { FrameType, TransportErrorCode, VERSION_1 } from '../../wire/constants.ts'
import { TransportError } from '../../wire/transport-error.ts'
import { decodeTransportParameters } from '../../wire/transport-parameters/codec.ts'
import type { VersionInformation } from '../../wire/transport-parameters/table.ts'
import { selectVersion, versionName } from '../../wire/version.ts'
import type { ConnectionCore } from '../core.ts'
import { initialKeys } from './initial-keys-install.ts'
import type { Versions } from './version-choice.ts'

type VersionContext = Pick<ConnectionCore, 'role' | 'provider' | 'spaces' | 'handshake' | 'versions' | 'tls'>
type ChoiceContext = VersionContext & Pick<ConnectionCore, 'trace'>
type AuthenticationContext = Pick<ConnectionCore, 'handshake' | 'versions' | 'trace'>

/** Keys for the Initial packet at hand, whose version is not the one in use. Null when Initial packets are over. */
export function otherVersionKeys(core: VersionContext, version: number): PacketKeys | null {
  const space = core.spaces.initial
  if (space === null) return null
  if (space.otherVersionKeys === null || core.versions.otherVersion !== version) {
    space.otherVersionKeys?.destroy()
    space.otherVersionKeys = initialKeys(core, version, core.versions.keyedBy).read
    core.versions.otherVersion = version
  }
  return space.otherVersionKeys
}

/** RFC 9369 §4.1: a client "learns the negotiated version by observing the first long header Version field that differs". */
export function followServerVersion(core: VersionContext, version: number): void {
  const { versions } = core
  const space = core.spaces.initial
  if (core.role === 'server' || versions.isSettled || space === null) return
  versions.isSettled = true
  useVersion(core, version)
  // Nothing but acknowledgements can still come in the original version: they would be repeated.
  space.otherVersionKeys?.destroy()
  space.otherVersionKeys = null
  versions.otherVersion = 0
}

/** Initial packets are read and written in `version` from now on; what the other version reads stays readable. */
function useVersion(core: VersionContext, version: number): void {
  const { versions, handshake } = core
  const space = core.spaces.initial
  if (space === null) return
  const keys = initialKeys(core, version, versions.keyedBy)
  space.otherVersionKeys?.destroy()
  space.otherVersionKeys = space.readKeys
  versions.otherVersion = handshake.version
  space.writeKeys?.destroy()
  space.readKeys = keys.read
  space.writeKeys = keys.write
  handshake.version = version
  // RFC 9369 §5: tickets belong to the negotiated version.
  core.tls.setSessionVersion(version)
}

/**
 * The first CRYPTO bytes settle the version: a client's server has sent them in the one it chose; a server chooses when it has the whole
 * ClientHello. Returns what TLS may have now, null for nothing yet.
 */
export function settleVersion(core: ChoiceContext, bytes: Uint8Array, now: number): Uint8Array | null {
  const { versions } = core
  if (core.role === 'client') {
    versions.isSettled = true
    return bytes
  }
  versions.hello = versions.hello.length === 0 ? bytes : concatBytes(versions.hello, bytes)
  const hello = versions.hello
  if (hello.length < MESSAGE_HEADER) return null
  const end = MESSAGE_HEADER + ((hello[1]! << 16) | (hello[2]! << 8) | hello[3]!)
  // What is no ClientHello is for TLS to refuse.
  const isHello = hello[0] === HandshakeType.clientHello && end <= MESSAGE_HEADER + MAX_MESSAGE
  if (isHello && hello.length < end) return null
  versions.hello = EMPTY
  versions.isSettled = true
  if (isHello) chooseVersion(core, hello.subarray(MESSAGE_HEADER, end), now)
  versions.encodeParameters = null
  return hello
}

function chooseVersion(core: ChoiceContext, body: Uint8Array, now: number): void {
  const { versions } = core
  const information = decodeTransportParameters(decodeClientHello(body).transportParameters, 'client').versionInformation
  // RFC 9368 §4: "Servers MAY complete the handshake even if the Version Information is missing."
  if (information === null) return
  if (information.chosen !== versions.original) {
    throw versionError(`the client chose ${versionName(information.chosen)} in a packet of ${versionName(versions.original)}`)
  }
  const chosen = versions.negotiate(information.available)
  core.trace?.versionInformation(now, information.available, versions.supported, chosen)
  if (chosen === versions.original) return
  useVersion(core, chosen)
  if (versions.encodeParameters !== null) core.tls.setTransportParameters(versions.encodeParameters(chosen))
}

/** RFC 9368 §4: what a client checks before it trusts the version it uses. */
export function authenticateVersion(core: AuthenticationContext, given: VersionInformation | null, now: number): void {
  const { versions } = core
  const { version } = core.handshake
  const information = given ?? assumedInformation(versions, version)
  if (information === null) return
  const { chosen, available } = information
  core.trace?.versionInformation(now, versions.supported, available, chosen)
  if (chosen !== version) throw versionError(`the server chose ${versionName(chosen)} and speaks ${versionName(version)}`)
  if (!versions.afterNegotiation) return
  if (available.length === 0) throw versionError('the server names no versions after Version Negotiation')
  // The attempt must be the one that genuine Version Negotiation would have led to.
  const genuine = selectVersion(versions.supported, [...available, version])
  if (genuine !== versions.original) {
    throw versionError(`Version Negotiation led to ${versionName(versions.original)}, the server's versions to ${versionName(genuine)}`)
  }
}

/** What counts when the server says nothing; null: nothing can be checked and nothing has to be. */
function assumedInformation(versions: Versions, version: number): VersionInformation | null {
  if (version !== versions.original) throw versionError('the server changed the version without Version Information')
  if (!versions.afterNegotiation) return null
  // RFC 9368 §8: servers of version 1 alone need not know of Version Information.
  if (version === VERSION_1) return { chosen: VERSION_1, available: [VERSION_1] }
  throw versionError('no Version Information after Version Negotiation')
}

function versionError(reason: string): TransportError {
  return new TransportError(TransportErrorCode.versionNegotiationError, FrameType.crypto, `${reason} (RFC 9368 §4)`)
}
