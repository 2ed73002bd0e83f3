/** PRIORITY_UPDATE values whose requests have not been seen yet (RFC 9218 §7): the last one of each counts. */

/** Most requests for which a value is kept. What comes beyond is not kept: the request then has the priority of its field. */
export const MAX_PENDING_PRIORITY_UPDATES = 256

export class PendingUpdates {
  private readonly values: Map<number, string>

  constructor() {
    this.values = new Map()
  }

  set(streamId: number, value: string): void {
    if (this.values.size >= MAX_PENDING_PRIORITY_UPDATES && !this.values.has(streamId)) return
    this.values.set(streamId, value)
  }

  get(streamId: number): string | null {
    return this.values.get(streamId) ?? null
  }

  /** The value, which is forgotten; null without one. */
  take(streamId: number): string | null {
    if (this.values.size === 0) return null
    const value = this.values.get(streamId) ?? null
    this.values.delete(streamId)
    return value
  }
}
