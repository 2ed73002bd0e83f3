// EncryptedExtensions: the server's answers that need no key. RFC 9846 §4.4.1; RFC 9001 §8.1, §8.2.

import { Alert, alert } from '../alerts.ts'
import { readProtocols, writeProtocols } from '../extensions/alpn.ts'
import { checkRetryConfigurations } from '../extensions/encrypted-client-hello.ts'
import { ExtensionSite, ExtensionType, readExtensions } from '../extensions/registry.ts'
import { finish, message, open } from './block.ts'
import { HandshakeType } from './message.ts'

export interface EncryptedExtensions {
  /** Null: the server chose no protocol. */
  readonly alpn: string | null
  readonly transportParameters: Uint8Array
  /** The server takes the early data. */
  readonly earlyData: boolean
}

export function encodeEncryptedExtensions(
  alpn: string,
  transportParameters: Uint8Array,
  acknowledgeName: boolean,
  earlyData: boolean,
): Uint8Array<ArrayBuffer> {
  return message(HandshakeType.encryptedExtensions, (writer) => {
    const extensions = writer.begin(2)
    if (acknowledgeName) {
      writer.u16(ExtensionType.serverName)
      writer.u16(0)
    }
    writer.u16(ExtensionType.alpn)
    const protocol = writer.begin(2)
    writeProtocols(writer, [alpn])
    writer.end(protocol, 2)
    writer.u16(ExtensionType.quicTransportParameters)
    writer.vector16(transportParameters)
    if (earlyData) {
      writer.u16(ExtensionType.earlyData)
      writer.u16(0)
    }
    writer.end(extensions, 2)
  })
}

export function decodeEncryptedExtensions(body: Uint8Array, asked: readonly number[]): EncryptedExtensions {
  const reader = open(body)
  const extensions = readExtensions(reader, ExtensionSite.encryptedExtensions, asked, 'EncryptedExtensions')
  finish(reader, 'EncryptedExtensions')
  const serverName = extensions.get(ExtensionType.serverName)
  if (serverName !== null && serverName.length !== 0) throw alert(Alert.decodeError, 'the answer to server_name is not empty')
  const alpn = extensions.get(ExtensionType.alpn)
  const protocols = alpn === null ? null : readProtocols(alpn)
  if (protocols !== null && protocols.length !== 1) throw alert(Alert.decodeError, 'the server chose more than one protocol')
  const transportParameters = extensions.get(ExtensionType.quicTransportParameters)
  if (transportParameters === null) throw alert(Alert.missingExtension, 'EncryptedExtensions has no quic_transport_parameters')
  const encryptedHello = extensions.get(ExtensionType.encryptedClientHello)
  if (encryptedHello !== null) checkRetryConfigurations(encryptedHello)
  const earlyData = extensions.get(ExtensionType.earlyData)
  if (earlyData !== null && earlyData.length !== 0) throw alert(Alert.decodeError, 'the answer to early_data is not empty')
  return { alpn: protocols === null ? null : protocols[0]!, transportParameters, earlyData: earlyData !== null }
}
