// Labels of the key schedule: QUIC's by version (RFC 9001 §5.1, §5.2, §6.1) and the HkdfLabel structure that carries any
// label through HKDF-Expand (RFC 9846 §7.1). A further QUIC version is a further row in quicLabels.

import { utf8 } from '../base/bytes.ts'
import { invariant } from '../base/assert.ts'

export interface QuicLabels {
  readonly key: string
  readonly iv: string
  readonly headerProtection: string
  readonly keyUpdate: string
}

export const CLIENT_INITIAL_LABEL = 'client in'
export const SERVER_INITIAL_LABEL = 'server in'

const VERSION_1_LABELS: QuicLabels = {
  key: 'quic key',
  iv: 'quic iv',
  headerProtection: 'quic hp',
  keyUpdate: 'quic ku',
}

/** The labels of a QUIC version; null for a version whose labels are not known. */
export function quicLabels(version: number): QuicLabels | null {
  return version === 1 ? VERSION_1_LABELS : null
}

/** struct { uint16 length; opaque label<7..255> = "tls13 " + label; opaque context<0..255> } HkdfLabel */
export function hkdfLabel(length: number, label: string, context: Uint8Array): Uint8Array<ArrayBuffer> {
  const name = utf8('tls13 ' + label)
  invariant(name.length <= 255 && context.length <= 255 && length <= 0xffff, 'HkdfLabel field out of range')
  const bytes = new Uint8Array(4 + name.length + context.length)
  bytes[0] = length >>> 8
  bytes[1] = length
  bytes[2] = name.length
  bytes.set(name, 3)
  bytes[3 + name.length] = context.length
  bytes.set(context, 4 + name.length)
  return bytes
}
