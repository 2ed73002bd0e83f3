// Deadlines of many workers behind one timer: a binary heap with lazy deletion. A worker whose deadline moved later keeps its old
// entry, which is looked at again when it comes up; only an earlier deadline adds an entry.

export interface Timed {
  /** The time of this object's earliest entry in the heap, Infinity for none. Kept by Deadlines. */
  armedAt: number
  /** The true deadline. */
  deadline(): number
}

interface Entry<T> {
  readonly at: number
  readonly item: T
}

export class Deadlines<T extends Timed> {
  private readonly heap: Entry<T>[]

  constructor() {
    this.heap = []
  }

  get size(): number {
    return this.heap.length
  }

  /** The earliest entry, Infinity when there is none. May be earlier than any true deadline, never later. */
  next(): number {
    return this.heap.length === 0 ? Infinity : this.heap[0]!.at
  }

  /** Tells the heap the current deadline of an item. */
  update(item: T): void {
    const at = item.deadline()
    if (at >= item.armedAt) return
    item.armedAt = at
    this.push({ at, item })
  }

  /** Takes one item whose deadline has come, or null. Stale entries met on the way are put right. */
  takeDue(now: number): T | null {
    while (this.heap.length > 0 && this.heap[0]!.at <= now) {
      const { at, item } = this.pop()
      // A later entry of an item that was armed earlier since: that one counts.
      if (at !== item.armedAt) continue
      item.armedAt = Infinity
      if (item.deadline() <= now) return item
      this.update(item)
    }
    return null
  }

  private push(entry: Entry<T>): void {
    const heap = this.heap
    let i = heap.length
    heap.push(entry)
    while (i > 0) {
      const parent = (i - 1) >> 1
      if (heap[parent]!.at <= entry.at) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = entry
  }

  private pop(): Entry<T> {
    const heap = this.heap
    const top = heap[0]!
    const last = heap.pop()!
    const size = heap.length
    if (size > 0) {
      let i = 0
      for (;;) {
        let child = 2 * i + 1
        if (child >= size) break
        if (child + 1 < size && heap[child + 1]!.at < heap[child]!.at) child++
        if (heap[child]!.at >= last.at) break
        heap[i] = heap[child]!
        i = child
      }
      heap[i] = last
    }
    return top
  }
}
