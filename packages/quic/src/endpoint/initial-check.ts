// Whether the Initial packet a datagram begins with was sealed by somebody who means to connect (RFC 9001 §5.2). Anybody can do that;
// but what is garbage, or a copy under another connection ID, is found out here for the price of two keys, and not of a connection.

import { copyBytes } from '../base/bytes.ts'
import { INITIAL_CIPHER_SUITE, initialSecrets } from '../crypto/initial-keys.ts'
import { PacketKeys } from '../crypto/packet-keys.ts'
import type { CryptoProvider } from '../crypto/provider.ts'
import type { HeaderView } from '../wire/header.ts'
import { expandPacketNumber } from '../wire/packet-number.ts'

/** Works on a copy: the datagram is the connection's to open. `header`: of the datagram's first packet, an Initial. */
export function opensAsInitial(provider: CryptoProvider, header: HeaderView): boolean {
  const { start, packetEnd } = header
  const packet = copyBytes(header.buffer.subarray(start, packetEnd))
  const keys = new PacketKeys(provider, INITIAL_CIPHER_SUITE, initialSecrets(provider, header.version, header.destination()).client, header.version)
  const truncated = keys.unprotectHeader(packet, 0, header.packetNumberOffset - start, packet.length)
  const payloadStart = header.packetNumberOffset - start + keys.packetNumberLength
  const opened = truncated >= 0 && keys.open(packet, 0, payloadStart, packet.length, expandPacketNumber(truncated, keys.packetNumberLength, -1))
  keys.destroy()
  return opened
}
