// Application-layer protocol negotiation, which QUIC cannot do without. RFC 7301 §3.1, RFC 9001 §8.1.

import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { Alert, alert } from '../alerts.ts'
import { finish, open, vector16, vector8 } from '../codec/block.ts'
import type { BlockWriter } from '../codec/block.ts'

export function writeProtocols(writer: BlockWriter, protocols: readonly string[]): void {
  const list = writer.begin(2)
  for (const protocol of protocols) writer.vector8(utf8(protocol))
  writer.end(list, 2)
}

export function readProtocols(body: Uint8Array): string[] {
  const reader = open(body)
  const list = open(vector16(reader))
  finish(reader, 'the ALPN list')
  const protocols: string[] = []
  while (!list.failed && list.remaining > 0) {
    const name = vector8(list)
    if (list.failed) break
    if (name.length === 0) throw alert(Alert.decodeError, 'an ALPN name is empty')
    protocols.push(fromUtf8(name))
  }
  finish(list, 'the ALPN list')
  if (protocols.length === 0) throw alert(Alert.decodeError, 'the ALPN list is empty')
  return protocols
}
