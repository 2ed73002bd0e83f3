// A proxy: one for any number of connections, so that its limits hold for all of them.

import type { ServerH3Controller } from '../../h3/controller.ts'
import { TargetPolicy } from '../policy/target-policy.ts'
import { DEFAULT_IP_PATH, DEFAULT_UDP_PATH, UriTemplate } from '../uri/uri-template.ts'
import { ProxyConnection } from './proxy-connection.ts'
import type { MasqueProxyOptions, ProxySettings, TunnelCount } from './proxy-settings.ts'
import { systemResolver } from './resolve-target.ts'

export class MasqueProxy implements TunnelCount {
  private readonly settings: ProxySettings
  private open: number

  /** Throws MasqueError for a template or a policy entry that cannot be used. */
  constructor(options: MasqueProxyOptions = {}) {
    this.settings = {
      policy: options.policy instanceof TargetPolicy ? options.policy : new TargetPolicy(options.policy),
      udp: options.udpPath === null ? null : UriTemplate.ofPath(options.udpPath ?? DEFAULT_UDP_PATH, ['target_host', 'target_port']),
      tcp: options.tcp ?? true,
      ipTemplate: UriTemplate.ofPath(options.ipPath ?? DEFAULT_IP_PATH),
      ip: options.ip,
      authorize: options.authorize ?? (() => true),
      resolve: options.resolve ?? systemResolver,
      dnsTimeout: options.dnsTimeout ?? 5000,
      connectTimeout: options.connectTimeout ?? 10_000,
      idleTimeout: options.idleTimeout ?? 300_000,
      maxTunnels: options.maxTunnels ?? 10_000,
      maxTunnelsPerConnection: options.maxTunnelsPerConnection ?? 256,
      name: options.name ?? 'quicwire',
      onError: options.onError ?? (() => undefined),
    }
    this.open = 0
  }

  /** Tunnels open or being opened. */
  get tunnels(): number {
    return this.open
  }

  /** Serves one connection. Hand each of the controller's events to its on() first; the connection needs `enableExtendedConnect`. */
  connection(controller: ServerH3Controller): ProxyConnection {
    return new ProxyConnection(this.settings, this, controller)
  }

  /** @internal */
  enter(): boolean {
    if (this.open >= this.settings.maxTunnels) return false
    this.open++
    return true
  }

  /** @internal */
  leave(): void {
    this.open--
  }
}
