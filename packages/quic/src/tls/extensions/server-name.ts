// server_name with its one name type. RFC 6066 §3.

import { fromUtf8, utf8 } from '../../base/bytes.ts'
import { Alert, alert } from '../alerts.ts'
import { finish, open, vector16 } from '../codec/block.ts'
import type { BlockWriter } from '../codec/block.ts'

const HOST_NAME = 0

export function writeServerName(writer: BlockWriter, name: string): void {
  const list = writer.begin(2)
  writer.u8(HOST_NAME)
  writer.vector16(utf8(name))
  writer.end(list, 2)
}

/** The host name in lower case. */
export function readServerName(body: Uint8Array): string {
  const reader = open(body)
  const list = open(vector16(reader))
  finish(reader, 'server_name')
  const type = list.u8()
  const name = vector16(list)
  finish(list, 'server_name')
  if (type !== HOST_NAME || name.length === 0 || name.length > 255) throw alert(Alert.illegalParameter, 'server_name holds no host name')
  for (let i = 0; i < name.length; i++) {
    const byte = name[i]!
    if (byte <= 0x20 || byte >= 0x7f) throw alert(Alert.illegalParameter, 'server_name is not ASCII')
  }
  return fromUtf8(name).toLowerCase()
}
