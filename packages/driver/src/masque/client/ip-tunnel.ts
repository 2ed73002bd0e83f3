// The client's way to an IP tunnel.

import type { Header } from '@quicwire/h3'
import { MasqueError } from '../errors.ts'
import { tunnelRequest } from '../fields.ts'
import { IpTunnel, type IpTunnelHandler } from '../ip/ip-tunnel.ts'
import { parseScope } from '../ip/scope.ts'
import { HttpTunnel } from '../tunnel/http-tunnel.ts'
import { UriTemplate } from '../uri/uri-template.ts'
import type { MasqueClient, TunnelRequestOptions } from './masque-client.ts'

export interface IpTunnelOptions extends TunnelRequestOptions {
  /** A host name, an address or a prefix the tunnel is for. Default: any. */
  readonly target?: string | undefined
  /** The Internet Protocol Number the tunnel is for. Default: any. */
  readonly protocol?: number | undefined
  /** Further fields of the request, such as `proxy-authorization`. */
  readonly headers?: readonly Header[] | undefined
  readonly handler?: IpTunnelHandler | undefined
}

/** Opens an IP tunnel. Rejects with TunnelRefusedError, MasqueError or the reason the request could not be sent. */
export async function openIpTunnel(client: MasqueClient, template: UriTemplate | string, options: IpTunnelOptions = {}): Promise<IpTunnel> {
  const parsed = typeof template === 'string' ? UriTemplate.absolute(template) : template
  const values = { target: options.target ?? '*', ipproto: options.protocol === undefined ? '*' : String(options.protocol) }
  if (parseScope(values.target, values.ipproto) === null) {
    throw new MasqueError('MASQUE_INVALID_TARGET', `${values.target} with protocol ${values.ipproto} is no scope of an IP tunnel (RFC 9484 §4.6)`)
  }
  const stream = await client.connect(tunnelRequest('connect-ip', parsed, values, options.headers), options)
  const tunnel = new HttpTunnel(stream)
  client.watch(stream.streamId, (reason, orderly) => tunnel.onAborted(reason, orderly))
  return new IpTunnel(tunnel, options.handler ?? {}, () => client.unwatch(stream.streamId))
}
