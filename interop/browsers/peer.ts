// A browser as a peer of the runs that load pages.

import type { Peer } from '../peers/peer.ts'
import { before } from '../process/deadline.ts'
import { loadPage, type Browser } from './browser.ts'

export function browserPeer(browser: Browser): Peer {
  return {
    name: browser.name,
    install: () => browser.install(),
    async loadPage(port, page, file, files, timeoutMs) {
      const tab = await browser.open(port, { ...files, authority: files.certificate })
      try {
        return await before(timeoutMs, loadPage(tab, port, page, file))
      } finally {
        await tab.close()
      }
    },
  }
}
