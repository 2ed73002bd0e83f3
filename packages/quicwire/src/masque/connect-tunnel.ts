// Tunnels through a proxy: on a session that is there already, or on a connection of their own, which ends with them.

import {
  DEFAULT_IP_PATH,
  DEFAULT_UDP_PATH,
  openIpTunnel,
  openTcpTunnel,
  openUdpTunnel,
  targetFrom,
  UriTemplate,
  type IpTunnel,
  type IpTunnelOptions,
  type TcpTunnel,
  type TcpTunnelOptions,
  type TunnelTarget,
  type UdpTunnel,
  type UdpTunnelOptions,
} from '@quicwire/driver'
import { connect, type ConnectOptions } from '../client/connect.ts'
import type { Session } from '../client/session.ts'
import { TUNNEL_DATAGRAM_SIZE } from './tunnel-settings.ts'

/**
 * A session, or a URI Template with the proxy's origin, such as `https://proxy.example/masque{?target_host,target_port}`. A mere origin has
 * the default template. With a session `template` names another one; its datagrams travel in capsules unless it was made with
 * `http3: { enableDatagrams: true }`.
 */
export type ProxyAddress = Session | string | URL

interface TemplateOption {
  /** With a session: the URI Template. Default: the well-known one of the session's origin. */
  readonly template?: string
}

export type ConnectUdpOptions = UdpTunnelOptions & TemplateOption & ProxyConnectionOption
export type ConnectTcpOptions = TcpTunnelOptions & ProxyConnectionOption
export type ConnectIpOptions = IpTunnelOptions & TemplateOption & ProxyConnectionOption

interface ProxyConnectionOption {
  /** How to connect to the proxy, where there is no session. */
  readonly connection?: ConnectOptions
}

/**
 * A UDP tunnel (RFC 9298) to a target, `host:port` or its parts. Rejects with TunnelRefusedError when the proxy says no, MasqueError, or as
 * connect() does.
 */
export async function connectUdp(proxy: ProxyAddress, target: string | TunnelTarget, options: ConnectUdpOptions = {}): Promise<UdpTunnel> {
  const parsed = targetFrom(target)
  const through = await reach(proxy, DEFAULT_UDP_PATH, ['target_host', 'target_port'], options)
  return owned(through, () => openUdpTunnel(through.session.masque, through.template, parsed, options), (tunnel, end) => tunnel.once('close', end))
}

/** A TCP connection (RFC 9114 §4.4) to a target through the proxy. Rejects as connectUdp() does. */
export async function connectTcp(proxy: ProxyAddress, target: string | TunnelTarget, options: ConnectTcpOptions = {}): Promise<TcpTunnel> {
  const parsed = targetFrom(target)
  const through = await reach(proxy, '/', [], options)
  return owned(through, () => openTcpTunnel(through.session.masque, parsed, options), (tunnel, end) => tunnel.once('close', end))
}

/** An IP tunnel (RFC 9484): addresses, routes and packets. Rejects as connectUdp() does. */
export async function connectIp(proxy: ProxyAddress, options: ConnectIpOptions = {}): Promise<IpTunnel> {
  const through = await reach(proxy, DEFAULT_IP_PATH, [], options)
  return owned(through, () => openIpTunnel(through.session.masque, through.template, options), (tunnel, end) => void tunnel.ended.then(end))
}

interface Reached {
  readonly session: Session
  readonly template: UriTemplate
  /** The session was made for this tunnel. */
  readonly own: boolean
}

async function reach(
  proxy: ProxyAddress,
  defaultPath: string,
  required: readonly string[],
  options: TemplateOption & ProxyConnectionOption & { readonly signal?: AbortSignal | undefined },
): Promise<Reached> {
  if (typeof proxy === 'object' && 'masque' in proxy) {
    return { session: proxy, template: UriTemplate.absolute(options.template ?? `https://${proxy.authority}${defaultPath}`, required), own: false }
  }
  const text = String(proxy)
  const hasPath = /^[^/]*\/\/[^/]*\/./.test(text)
  const template = UriTemplate.absolute(hasPath ? text : `${text.replace(/\/$/, '')}${defaultPath}`, required)
  const { settings, ...connection } = options.connection ?? {}
  const session = await connect(`https://${template.authority}`, {
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...connection,
    settings: { datagramSize: TUNNEL_DATAGRAM_SIZE, ...settings },
    http3: { enableDatagrams: settings?.enableDgram !== false, ...connection.http3 },
  })
  return { session, template, own: true }
}

/** A session made for the tunnel ends with it, and at once if the tunnel cannot be had. */
async function owned<T>({ session, own }: Reached, open: () => Promise<T>, onEnd: (tunnel: T, end: () => void) => void): Promise<T> {
  if (!own) return open()
  try {
    const tunnel = await open()
    onEnd(tunnel, () => void session.close())
    return tunnel
  } catch (error) {
    void session.close()
    throw error
  }
}
