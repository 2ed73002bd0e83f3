// Opens a link by the name of its back end.

import type { Link, LinkOptions } from './link.ts'
import { RelayLink } from './relay-link.ts'
import { TunLink, whyNoTun } from './tun-link.ts'

/** Rejects with ScenarioError for a scenario it does not know, with LinkError when this machine cannot. */
export function openLink(backend: 'tun' | 'relay', options: LinkOptions): Promise<Link> {
  return backend === 'tun' ? TunLink.open(options) : RelayLink.open(options)
}

/** Why this machine cannot do `tun`; null when it can. */
export function tunUnavailable(): Promise<string | null> {
  return Promise.resolve(whyNoTun())
}
