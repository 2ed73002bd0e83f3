// The address pair of a datagram, as the socket layer knows it. Opaque to the core: compared, never parsed, except
// that a change of port alone is told from a change of host (RFC 9000 §9.4).

export interface PathAddress {
  /** Local `ip:port`, or '' where the socket cannot tell. */
  readonly local: string
  /** Remote `ip:port`; IPv6 as `[ip]:port`. */
  readonly remote: string
  /** The largest UDP payload worth probing for, as the socket layer knows the route. Absent: nothing known, so the largest there is. */
  readonly maxProbeSize?: number
}

export function sameRemote(a: PathAddress, b: PathAddress): boolean {
  return a === b || a.remote === b.remote
}

/** The IP address of a `remote`, as it is written there. */
export function remoteHost(address: string): string {
  const colon = address.lastIndexOf(':')
  return colon < 0 ? address : address.slice(0, colon)
}

/** True when only the port differs, as after a NAT rebinding. */
export function sameRemoteHost(a: PathAddress, b: PathAddress): boolean {
  return remoteHost(a.remote) === remoteHost(b.remote)
}
