// What a proxy is told and what it asks: requests for tunnels, who may have them, limits.

import type { Header } from '@quicwire/h3'
import type { IpTunnel, IpTunnelHandler } from '../ip/ip-tunnel.ts'
import type { IpScope } from '../ip/scope.ts'
import type { TargetPolicy, TargetPolicyOptions } from '../policy/target-policy.ts'
import type { TunnelTarget } from '../uri/target.ts'
import type { UriTemplate } from '../uri/uri-template.ts'
import type { Resolver } from './resolve-target.ts'

export type TunnelProtocol = 'connect-udp' | 'connect-tcp' | 'connect-ip'

/** A request for a tunnel, before anything is done for it. */
export interface TunnelRequest {
  readonly protocol: TunnelProtocol
  /** Null for an IP tunnel. */
  readonly target: TunnelTarget | null
  /** Null for UDP and TCP. */
  readonly scope: IpScope | null
  readonly headers: readonly Header[]
}

/** True: go on. False: 403. Or the status to refuse with, such as 407 with `proxy-authenticate`. */
export type Authorization = boolean | { readonly status: number; readonly headers?: readonly Header[] | undefined }

export interface MasqueProxyOptions {
  /** Which targets may be reached. Default: public addresses only. */
  readonly policy?: TargetPolicyOptions | TargetPolicy | undefined
  /** URI Template of UDP proxying, path and query. Default: RFC 9298's well-known one. Null: 501. */
  readonly udpPath?: string | null | undefined
  /** Whether CONNECT to TCP targets is served. Default true. */
  readonly tcp?: boolean | undefined
  /** URI Template of IP proxying, path and query. Default: RFC 9484's well-known one. */
  readonly ipPath?: string | undefined
  /** Takes IP tunnels: gives the handler for one, or null to refuse it with 403. Default: IP proxying is not served (501). */
  readonly ip?: ((request: TunnelRequest) => IpService | null | Promise<IpService | null>) | undefined
  /**
   * Asked before each tunnel. RFC 9298 §7: a proxy that is open to everybody is abused. Default: everybody.
   */
  readonly authorize?: ((request: TunnelRequest) => Authorization | Promise<Authorization>) | undefined
  /** Default: the system's. */
  readonly resolve?: Resolver | undefined
  /** Milliseconds for DNS. Default 5000. */
  readonly dnsTimeout?: number | undefined
  /** Milliseconds for each address of a TCP target. Default 10 000. */
  readonly connectTimeout?: number | undefined
  /** Milliseconds without a byte either way after which a tunnel ends. RFC 9298 §3.1: not below two minutes. Default 300 000. */
  readonly idleTimeout?: number | undefined
  /** Tunnels at a time, being opened or open. Default 10 000. */
  readonly maxTunnels?: number | undefined
  /** The same on one connection. Default 256. */
  readonly maxTunnelsPerConnection?: number | undefined
  /** What the proxy calls itself in Proxy-Status (RFC 9209 §2). Default `quicwire`. */
  readonly name?: string | undefined
  /** What went wrong inside, with one request. Default: nothing is said. */
  readonly onError?: ((error: Error) => void) | undefined
}

export interface IpService {
  readonly handler: IpTunnelHandler
  /** Called when the tunnel is open, before its first packet. */
  onOpen(tunnel: IpTunnel): void
}

/** The options with their defaults. */
export interface ProxySettings {
  readonly policy: TargetPolicy
  readonly udp: UriTemplate | null
  readonly tcp: boolean
  readonly ipTemplate: UriTemplate
  readonly ip: MasqueProxyOptions['ip']
  readonly authorize: (request: TunnelRequest) => Authorization | Promise<Authorization>
  readonly resolve: Resolver
  readonly dnsTimeout: number
  readonly connectTimeout: number
  readonly idleTimeout: number
  readonly maxTunnels: number
  readonly maxTunnelsPerConnection: number
  readonly name: string
  readonly onError: (error: Error) => void
}

/** Tunnels at a time, over all connections. */
export interface TunnelCount {
  /** False when the limit has been reached. */
  enter(): boolean
  leave(): void
}
