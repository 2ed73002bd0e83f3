// The address pair of a datagram, as the socket layer knows it. Opaque to the core: compared, never parsed, except
// that a change of port alone is told from a change of host (RFC 9000 §9.4).

export interface PathAddress {
  /** Local `ip:port`, or '' where the socket cannot tell. A client's sockets on different networks need different ones. */
  readonly local: string
  /** Remote `ip:port`; IPv6 as `[ip]:port`. */
  readonly remote: string
  /** The largest UDP payload worth probing for, as the socket layer knows the route. Absent: nothing known, so the largest there is. */
  readonly maxProbeSize?: number
}

/** RFC 9000 §8.2: a path is one local and one remote address. */
export function samePath(a: PathAddress, b: PathAddress): boolean {
  return a === b || (a.remote === b.remote && a.local === b.local)
}

/** The IP address of an `ip:port`, as it is written there. */
export function hostOf(address: string): string {
  const colon = address.lastIndexOf(':')
  return colon < 0 ? address : address.slice(0, colon)
}

/** True when only ports differ, as after a NAT rebinding. */
export function sameHosts(a: PathAddress, b: PathAddress): boolean {
  return hostOf(a.remote) === hostOf(b.remote) && hostOf(a.local) === hostOf(b.local)
}
