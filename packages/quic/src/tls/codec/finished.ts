// Finished is its verify_data. RFC 9846 §4.5.3.

import { message } from './block.ts'
import { HandshakeType } from './message.ts'

export function encodeFinished(verifyData: Uint8Array): Uint8Array<ArrayBuffer> {
  return message(HandshakeType.finished, (writer) => writer.bytes(verifyData))
}
