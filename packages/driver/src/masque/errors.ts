// What can go wrong with a tunnel, for its user. What a peer sends wrongly is an H3Error inside and ends the tunnel.

export type MasqueErrorCode =
  | 'MASQUE_INVALID_TEMPLATE' // not a URI Template that RFC 9298 §2 or RFC 9484 §3 allows
  | 'MASQUE_INVALID_TARGET' // no host name, IP address or port
  | 'MASQUE_INVALID_ARGUMENT' // an address, prefix, route or policy entry that does not parse
  | 'MASQUE_NOT_SUPPORTED' // the server has not enabled extended CONNECT (RFC 9220)
  | 'MASQUE_REFUSED' // the proxy answered with something other than success
  | 'MASQUE_RESPONSE_INVALID' // a 2xx response that cannot start a tunnel (RFC 9298 §3.5)
  | 'MASQUE_CLOSED' // the tunnel or its connection has ended
  | 'MASQUE_DATAGRAM_TOO_LARGE' // more than the tunnel carries in one datagram now

export class MasqueError extends Error {
  override readonly name: string = 'MasqueError'
  readonly code: MasqueErrorCode

  constructor(code: MasqueErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** The proxy said no. */
export class TunnelRefusedError extends MasqueError {
  override readonly name = 'TunnelRefusedError'
  readonly status: number
  /** The Proxy-Status field (RFC 9209) as it was sent, or null. */
  readonly proxyStatus: string | null

  constructor(status: number, proxyStatus: string | null) {
    super('MASQUE_REFUSED', `the proxy answered ${status}${proxyStatus === null ? '' : ` (${proxyStatus})`}`)
    this.status = status
    this.proxyStatus = proxyStatus
  }
}
