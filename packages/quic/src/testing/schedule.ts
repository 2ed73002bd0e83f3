// A binary heap of things due at a virtual time. Equal times keep the order in which they were added.

interface Entry<T> {
  readonly time: number
  readonly order: number
  readonly value: T
}

function before<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order)
}

export class Schedule<T> {
  private readonly heap: Entry<T>[] = []
  private added = 0

  get length(): number {
    return this.heap.length
  }

  /** When the next entry is due, Infinity when there is none. */
  nextTime(): number {
    return this.heap[0]?.time ?? Infinity
  }

  add(time: number, value: T): void {
    const heap = this.heap
    let index = heap.length
    const entry: Entry<T> = { time, order: this.added++, value }
    heap.push(entry)
    while (index > 0) {
      const parent = (index - 1) >> 1
      if (!before(entry, heap[parent]!)) break
      heap[index] = heap[parent]!
      index = parent
    }
    heap[index] = entry
  }

  /** The earliest entry, null when empty. */
  take(): T | null {
    const heap = this.heap
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined) return null
    if (heap.length > 0) {
      let index = 0
      for (;;) {
        let child = 2 * index + 1
        if (child >= heap.length) break
        if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
        if (!before(heap[child]!, last)) break
        heap[index] = heap[child]!
        index = child
      }
      heap[index] = last
    }
    return first.value
  }
}
