// The foreign stacks that the runner may choose from. A new one is a folder with install.sh and endpoint.ts, and a line here.

import type { Endpoint } from '../runner/endpoint.ts'
import { aioquicEndpoint } from './aioquic/endpoint.ts'
import { goXNetEndpoint } from './go-x-net/endpoint.ts'
import { kwikEndpoint } from './kwik/endpoint.ts'
import { ngtcp2Endpoint } from './ngtcp2/endpoint.ts'
import { quicGoEndpoint } from './quic-go/endpoint.ts'
import { quicheEndpoint } from './quiche/endpoint.ts'
import { quinnEndpoint } from './quinn/endpoint.ts'
import { s2nQuicEndpoint } from './s2n-quic/endpoint.ts'

export const foreignEndpoints: readonly Endpoint[] = [
  quicGoEndpoint,
  aioquicEndpoint,
  kwikEndpoint,
  ngtcp2Endpoint,
  goXNetEndpoint,
  quinnEndpoint,
  s2nQuicEndpoint,
  quicheEndpoint,
]
