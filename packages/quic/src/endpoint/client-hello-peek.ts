// A look into the first datagram of a client before there is a connection: server name and ALPN, as far as the datagram's part of
// the ClientHello goes (with a post-quantum key share it goes on in a second one). Bounded by the datagram, works on a copy, keeps
// nothing, and answers null to whatever it cannot read; judging the hello is the business of TLS, later.

import { concatBytes } from '../base/bytes.ts'
import { RangeSet } from '../base/range-set.ts'
import { INITIAL_CIPHER_SUITE, initialSecrets } from '../crypto/initial-keys.ts'
import { PacketKeys } from '../crypto/packet-keys.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import { vector16, vector8 } from '../tls/codec/block.ts'
import { HandshakeType, MESSAGE_HEADER } from '../tls/codec/message.ts'
import { readProtocols } from '../tls/extensions/alpn.ts'
import { ExtensionType } from '../tls/extensions/registry.ts'
import { readServerName } from '../tls/extensions/server-name.ts'
import { FrameType, PacketType, TAG_LENGTH } from '../wire/constants.ts'
import { readFrameType } from '../wire/frame-table.ts'
import { AckFrame, readAckFrame } from '../wire/frames/ack.ts'
import { CryptoFrame, readCryptoFrame } from '../wire/frames/crypto.ts'
import { HeaderResult, HeaderView, parseHeader } from '../wire/header.ts'
import { expandPacketNumber } from '../wire/packet-number.ts'
import { Reader } from '../wire/reader.ts'
import { TransportError } from '../wire/transport-error.ts'

/** Initial packets looked at in one datagram; clients put everything into one. */
const MAX_PACKETS = 4

export interface PeekedHello {
  /** In lower case, null where it was not seen. */
  readonly serverName: string | null
  /** In the client's order, null where it was not seen. */
  readonly alpn: readonly string[] | null
}

/** `header`: of the Initial packet the datagram begins with. */
export function peekClientHello(provider: CryptoProvider, header: HeaderView, datagram: Uint8Array): PeekedHello | null {
  const secrets = initialSecrets(provider, header.version, header.destination())
  const keys = new PacketKeys(provider, INITIAL_CIPHER_SUITE, secrets.client, header.version)
  try {
    return readHello(beginningOfStream(concatBytes(datagram), keys))
  } catch (error) {
    if (!(error instanceof TransportError)) throw error
    return null
  } finally {
    keys.destroy()
  }
}

/** Extensions up to where the bytes end, which need not be where the message does. */
function readHello(stream: Uint8Array): PeekedHello | null {
  if (stream[0] !== HandshakeType.clientHello) return null
  const reader = new Reader(stream, MESSAGE_HEADER)
  // legacy_version and random, then three lists.
  reader.skip(2 + 32)
  vector8(reader)
  vector16(reader)
  vector8(reader)
  reader.skip(2)
  let serverName: string | null = null
  let alpn: readonly string[] | null = null
  while (!reader.failed && reader.remaining > 0) {
    const type = reader.u16()
    const body = vector16(reader)
    if (reader.failed) break
    if (type === ExtensionType.serverName) serverName ??= readServerName(body)
    else if (type === ExtensionType.alpn) alpn ??= readProtocols(body)
  }
  return { serverName, alpn }
}

/** The bytes of the CRYPTO stream that these packets hold without a gap. */
function beginningOfStream(datagram: Uint8Array, keys: PacketKeys): Uint8Array {
  const header = new HeaderView()
  const bytes = new Uint8Array(datagram.length)
  const known = new RangeSet()
  let position = 0
  for (let packets = 0; packets < MAX_PACKETS && position < datagram.length; packets += 1) {
    if (parseHeader(header, datagram, position, datagram.length, 0, true) !== HeaderResult.ok) break
    if (header.packetType !== PacketType.initial) break
    position = header.packetEnd
    if (!collect(header, keys, bytes, known)) break
  }
  return bytes.subarray(0, known.min() === 0 ? known.endAt(0) : 0)
}

/** Opens one packet and gathers its CRYPTO data. False: not one a client starts with. */
function collect(header: HeaderView, keys: PacketKeys, bytes: Uint8Array, known: RangeSet): boolean {
  const { buffer, start, packetNumberOffset, packetEnd } = header
  const truncated = keys.unprotectHeader(buffer, start, packetNumberOffset, packetEnd)
  if (truncated < 0) return false
  const length = keys.packetNumberLength
  const payloadStart = packetNumberOffset + length
  if (!keys.open(buffer, start, payloadStart, packetEnd, expandPacketNumber(truncated, length, -1))) return false
  const reader = new Reader(buffer, payloadStart, packetEnd - TAG_LENGTH)
  const crypto = new CryptoFrame()
  while (reader.remaining > 0) {
    const type = readFrameType(reader)
    if (type === FrameType.padding || type === FrameType.ping) continue
    if (type === FrameType.ack || type === FrameType.ackEcn) {
      readAckFrame(reader, type, new AckFrame())
      continue
    }
    if (type !== FrameType.crypto) return false
    readCryptoFrame(reader, type, crypto)
    const end = crypto.offset + crypto.dataLength
    // So far from the beginning that it cannot belong to what this datagram says of it.
    if (end > bytes.length) continue
    bytes.set(buffer.subarray(crypto.dataStart, crypto.dataStart + crypto.dataLength), crypto.offset)
    known.add(crypto.offset, end)
  }
  return true
}
