// A request the proxy does not serve: status, and what RFC 9209 has to say about it.

import type { Header } from '@quicwire/h3'
import type { ProxyErrorType, ProxyStatus } from '../proxy-status.ts'

export class Refusal extends Error {
  override readonly name: string = 'Refusal'
  readonly status: number
  readonly proxyStatus: ProxyStatus | null
  readonly headers: readonly Header[]

  constructor(status: number, proxyStatus: ProxyStatus | null, headers: readonly Header[] = []) {
    super(proxyStatus?.details ?? `status ${status}`)
    this.status = status
    this.proxyStatus = proxyStatus
    this.headers = headers
  }
}

/** The statuses RFC 9209 §2.3 recommends; what policy forbids is 403 here, whether by name or by address. */
const STATUS: Readonly<Record<ProxyErrorType, number>> = {
  dns_timeout: 504,
  dns_error: 502,
  destination_ip_prohibited: 403,
  destination_ip_unroutable: 502,
  connection_refused: 502,
  connection_timeout: 504,
  connection_terminated: 502,
  connection_limit_reached: 503,
  http_request_error: 400,
  http_request_denied: 403,
  proxy_internal_error: 500,
}

export function refusal(error: ProxyErrorType, details: string, more: Partial<ProxyStatus> = {}): Refusal {
  return new Refusal(STATUS[error], { error, details, ...more })
}
