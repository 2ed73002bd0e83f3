// key_share in its three forms. RFC 9846 §4.3.8.

import { Alert, alert } from '../alerts.ts'
import { finish, open, vector16 } from '../codec/block.ts'

/** One share; `group` is any number the peer sent. */
export interface KeyShareEntry {
  readonly group: number
  readonly key: Uint8Array
}

/** KeyShareClientHello; an empty list asks for a HelloRetryRequest. A group named twice is illegal_parameter. */
export function readClientShares(body: Uint8Array): KeyShareEntry[] {
  const reader = open(body)
  const list = open(vector16(reader))
  finish(reader, 'key_share')
  const shares: KeyShareEntry[] = []
  while (!list.failed && list.remaining > 0) {
    const group = list.u16()
    const key = vector16(list)
    if (list.failed) break
    if (key.length === 0) throw alert(Alert.decodeError, 'a key share is empty')
    for (const share of shares) {
      if (share.group === group) throw alert(Alert.illegalParameter, `two key shares for group ${group}`)
    }
    shares.push({ group, key })
  }
  finish(list, 'key_share')
  return shares
}

/** KeyShareServerHello. */
export function readServerShare(body: Uint8Array): KeyShareEntry {
  const reader = open(body)
  const group = reader.u16()
  const key = vector16(reader)
  finish(reader, 'key_share')
  return { group, key }
}

/** KeyShareHelloRetryRequest: the group to send a share for. */
export function readSelectedGroup(body: Uint8Array): number {
  const reader = open(body)
  const group = reader.u16()
  finish(reader, 'key_share')
  return group
}
