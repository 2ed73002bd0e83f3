// certificate_authorities: distinguished names in DER to choose a certificate by. RFC 9846 §4.3.4.

import { Alert, alert } from '../alerts.ts'
import { finish, open, vector16 } from '../codec/block.ts'
import type { BlockWriter } from '../codec/block.ts'

/** A request of 64 KiB could hold thousands; whoever trusts more than this says nothing. */
const MAX_AUTHORITIES = 1024

export function writeAuthorities(writer: BlockWriter, names: readonly Uint8Array[]): void {
  const list = writer.begin(2)
  for (const name of names) writer.vector16(name)
  writer.end(list, 2)
}

export function readAuthorities(body: Uint8Array): Uint8Array[] {
  const reader = open(body)
  const list = open(vector16(reader))
  finish(reader, 'certificate_authorities')
  const names: Uint8Array[] = []
  while (!list.failed && list.remaining > 0) {
    const name = vector16(list)
    if (list.failed) break
    if (name.length === 0) throw alert(Alert.decodeError, 'the name of a certificate authority is empty')
    if (names.length === MAX_AUTHORITIES) throw alert(Alert.decodeError, `certificate_authorities has more than ${MAX_AUTHORITIES} names`)
    names.push(name)
  }
  finish(list, 'certificate_authorities')
  if (names.length === 0) throw alert(Alert.decodeError, 'certificate_authorities is empty')
  return names
}
