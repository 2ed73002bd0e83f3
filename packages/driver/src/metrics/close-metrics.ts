// How the end of a connection is counted.

import { h3ErrorName } from '@quicwire/h3'
import { transportErrorName, type CloseReason, type WireValue } from '@quicwire/quic'
import type { Metrics } from './metrics.ts'

const CRYPTO_ERROR_FIRST = 0x100
const CRYPTO_ERROR_LAST = 0x1ff
/** RFC 9114 §8.1: reserved codes have the form 0x1f * N + 0x21. */
const RESERVED_STEP = 0x1f
const RESERVED_FIRST = 0x21

function h3Label(code: WireValue): string {
  const name = h3ErrorName(code)
  if (!name.startsWith('0x')) return name
  return BigInt(code) >= BigInt(RESERVED_FIRST) && (BigInt(code) - BigInt(RESERVED_FIRST)) % BigInt(RESERVED_STEP) === 0n ? 'H3_GREASE' : 'H3_UNKNOWN'
}

function quicLabel(code: WireValue): string {
  if (code >= CRYPTO_ERROR_FIRST && code <= CRYPTO_ERROR_LAST) return 'CRYPTO_ERROR'
  const name = transportErrorName(Number(code))
  return name === 'UNKNOWN_ERROR' ? 'QUIC_UNKNOWN' : name
}

function handshakeLabel(reason: CloseReason): string {
  if (reason.cause === 'handshake-timeout' || reason.cause === 'idle-timeout') return 'timeout'
  if (!reason.application && reason.code >= CRYPTO_ERROR_FIRST && reason.code <= CRYPTO_ERROR_LAST) return 'cryptofail'
  return reason.cause === 'peer' || reason.cause === 'stateless-reset' ? 'disconnect' : 'other'
}

/** Which side sent CONNECTION_CLOSE; null: idle timeouts, resets and the like end in silence. */
export function closedBy({ cause }: CloseReason): 'local' | 'peer' | null {
  if (cause === 'peer') return 'peer'
  return cause === 'local' || cause === 'handshake-timeout' ? 'local' : null
}

/** Counts an end, once per connection. */
export function countClose(metrics: Metrics, reason: CloseReason, established: boolean): void {
  if (!established) metrics.count('failed_handshakes', handshakeLabel(reason))
  const by = closedBy(reason)
  if (by === null) return
  if (reason.application) metrics.count(`${by}_h3_conn_close_error_count`, h3Label(reason.code))
  else metrics.count(`${by}_quic_conn_close_error_count`, quicLabel(reason.code))
}
