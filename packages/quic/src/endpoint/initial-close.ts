// An Initial packet with CONNECTION_CLOSE from a server that keeps no state (RFC 9000 §5.2.2, §8.1.2, §10.2.3): CONNECTION_REFUSED,
// INVALID_TOKEN. There is no closing period: whoever asks again is answered again.

import { EMPTY } from '../base/bytes.ts'
import { INITIAL_CIPHER_SUITE, initialSecrets } from '../crypto/initial-keys.ts'
import { PacketKeys } from '../crypto/packet-keys.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import { FrameType, PacketType, TAG_LENGTH } from '../wire/constants.ts'
import { connectionCloseFrameSize, writeConnectionCloseFrame } from '../wire/frames/close.ts'
import { longHeaderSize, patchLength, writeLongHeader } from '../wire/header-writer.ts'
import type { HeaderView } from '../wire/header.ts'
import { Writer } from '../wire/writer.ts'

const PACKET_NUMBER_LENGTH = 1

/** The answer to the client's Initial `header`, protected as the client expects it. Far smaller than any Initial datagram. */
export function encodeInitialClose(provider: CryptoProvider, header: HeaderView, code: number): Uint8Array {
  const destination = header.source()
  // The server never chose a connection ID: it goes by the one the client made up.
  const source = header.destination()
  const headerSize = longHeaderSize(PacketType.initial, destination.length, source.length, 0, PACKET_NUMBER_LENGTH)
  const frameSize = connectionCloseFrameSize(false, code, FrameType.padding, 0)
  const packet = new Uint8Array(headerSize + frameSize + TAG_LENGTH)
  const writer = new Writer(packet)
  const lengthPosition = writeLongHeader(writer, PacketType.initial, header.version, destination, source, EMPTY, 0, PACKET_NUMBER_LENGTH)
  const numberOffset = writer.position - PACKET_NUMBER_LENGTH
  writeConnectionCloseFrame(writer, false, code, FrameType.padding, '')
  patchLength(packet, lengthPosition, writer.position + TAG_LENGTH - numberOffset)
  const secrets = initialSecrets(provider, header.version, header.destination())
  const keys = new PacketKeys(provider, INITIAL_CIPHER_SUITE, secrets.server, header.version)
  keys.protect(packet, 0, numberOffset, PACKET_NUMBER_LENGTH, writer.position, 0)
  keys.destroy()
  return packet
}
