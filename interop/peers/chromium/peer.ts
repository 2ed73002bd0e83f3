// Chromium as a client that loads a page. What it reports of each resource (PerformanceResourceTiming) is the answer; nothing is
// inferred from the page having appeared.

import { browserPeer } from '../../browsers/peer.ts'
import type { Peer } from '../peer.ts'
import { chromiumBrowser } from './browser.ts'

export const chromium: Peer = browserPeer(chromiumBrowser)
