// Body bytes from the HTTP/3 layer in chunks worth a channel slot: views of single packets are joined up to the configured size.
// A single view is passed on as it is; joined ones are copied once into memory of exactly their size, so nothing idle is retained.

import type { H3Connection } from '@quicwire/h3'

export class BodyChunks {
  private readonly maximum: number
  private readonly views: Uint8Array[]

  /** `maximum` ≥ 1: bytes of one chunk. */
  constructor(maximum: number) {
    this.maximum = maximum
    this.views = []
  }

  /** The next chunk of at most `maximum` bytes, or null when there are none now. The caller owns it. */
  read(h3: Pick<H3Connection, 'readBody'>, streamId: number): Uint8Array | null {
    const first = h3.readBody(streamId, this.maximum)
    if (first === null) return null
    let total = first.length
    const views = this.views
    while (total < this.maximum) {
      const view = h3.readBody(streamId, this.maximum - total)
      if (view === null) break
      views.push(view)
      total += view.length
    }
    if (views.length === 0) return first
    const chunk = new Uint8Array(total)
    chunk.set(first)
    let at = first.length
    for (const view of views) {
      chunk.set(view, at)
      at += view.length
    }
    views.length = 0
    return chunk
  }
}
