/** PRIORITY_UPDATE values by request (RFC 9218 §7): the last one counts, and it may come before its request. */

/** Most requests that are not open yet for which a value is kept. */
const LIMIT = 256

export class PriorityUpdates {
  private readonly values: Map<number, string>

  constructor() {
    this.values = new Map()
  }

  set(streamId: number, value: string): void {
    if (this.values.size >= LIMIT && !this.values.has(streamId)) return
    this.values.set(streamId, value)
  }

  get(streamId: number): string | null {
    return this.values.get(streamId) ?? null
  }

  delete(streamId: number): void {
    if (this.values.size > 0) this.values.delete(streamId)
  }
}
