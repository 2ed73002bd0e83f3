// What a server seals into its tickets so that it can judge early data later (RFC 9000 §7.4.1, RFC 9001 §4.6.3): the transport
// parameters a client will go by, and behind them the application's own bytes.

import { EMPTY, concatBytes } from '../../base/bytes.ts'
import type { TlsConfig } from '../../tls/engine.ts'
import { TransportError } from '../../wire/transport-error.ts'
import {
  decodeRememberedParameters,
  encodeRememberedParameters,
  reducedLimit,
} from '../../wire/transport-parameters/remembered.ts'
import type { TransportParameters } from '../../wire/transport-parameters/table.ts'
import type { TlsSettings } from '../config.ts'

const LENGTH_BYTES = 2

/** What goes into a ticket: `local`, our transport parameters of now, and `application`, the owner's bytes. */
export function ticketContext(local: TransportParameters, application: Uint8Array): Uint8Array {
  const parameters = encodeRememberedParameters(local)
  return concatBytes(Uint8Array.of(parameters.length >> 8, parameters.length & 0xff), parameters, application)
}

/** A server's part of the TLS configuration, where tickets allow early data; the application may still refuse it. */
export function earlyTicketSettings(tls: TlsSettings, local: TransportParameters): Pick<TlsConfig, 'earlyDataContext' | 'acceptEarlyData'> {
  if (tls.tickets?.earlyData !== true) return {}
  return {
    earlyDataContext: ticketContext(local, tls.earlyDataContext ?? EMPTY),
    acceptEarlyData: (context) => {
      const end = LENGTH_BYTES + ((context[0] ?? 0) << 8) + (context[1] ?? 0)
      if (context.length < end || !canSupport(context.subarray(LENGTH_BYTES, end), local)) return false
      return tls.acceptEarlyData === undefined || tls.acceptEarlyData(context.subarray(end))
    },
  }
}

/** RFC 9000 §7.4.1: "A server MUST reject 0-RTT data if the restored values for transport parameters cannot be supported." */
function canSupport(encoded: Uint8Array, local: TransportParameters): boolean {
  try {
    const remembered = decodeRememberedParameters(encoded)
    // "lowering the max_udp_payload_size could result in dropped packets, leading to worse performance compared to rejecting".
    return reducedLimit(remembered, local) === null && local.maxUdpPayloadSize >= remembered.maxUdpPayloadSize
  } catch (error) {
    // Sealed by an older release.
    if (error instanceof TransportError) return false
    throw error
  }
}
