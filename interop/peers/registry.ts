// The stacks that runs may choose from. A new one is a folder with install.sh and peer.ts, and a line here.

import { aioquic } from './aioquic/peer.ts'
import { chromium } from './chromium/peer.ts'
import { ngtcp2 } from './ngtcp2/peer.ts'
import { openssl } from './openssl/peer.ts'
import type { Peer } from './peer.ts'
import { quiche } from './quiche/peer.ts'
import { quicGo } from './quic-go/peer.ts'

export const foreignPeers: readonly Peer[] = [ngtcp2, aioquic, quicGo, openssl, quiche, chromium]
