import type { H3Event } from './events.ts'

/** Events that wait for `poll`, first in, first out. */
export class EventQueue {
  private items: (H3Event | null)[]
  private head: number

  constructor() {
    this.items = []
    this.head = 0
  }

  push(event: H3Event): void {
    this.items.push(event)
  }

  next(): H3Event | null {
    if (this.head === this.items.length) return null
    const event = this.items[this.head]!
    this.items[this.head++] = null
    if (this.head === this.items.length) {
      this.items.length = 0
      this.head = 0
    } else if (this.head >= 1024) {
      // An owner that never polls dry must not make the queue remember what it has seen.
      this.items = this.items.slice(this.head)
      this.head = 0
    }
    return event
  }
}
