// Which stream sends next (RFC 9218 §10): lower urgency first; within one urgency non-incremental streams by stream ID, then
// incremental ones in turn. One binary heap whose nodes know their place, so that a priority can change at any time at O(log n)
// and a peer that changes priorities leaves nothing behind. Taking a turn at the top of a lone stream is constant time.

/** Urgency when none was set, in 0..255. */
export const DEFAULT_URGENCY = 127
/** Whether a stream shares its turn with others of its urgency when nothing was set. */
export const DEFAULT_INCREMENTAL = true

/** One stream's place in one schedule. */
export class ScheduleNode<T> {
  readonly owner: T
  readonly streamId: number
  /** urgency * 2 + incremental */
  rank: number
  /** Within a rank: the stream ID, or the number of the turn. */
  order: number
  /** Place in the heap, -1 when not scheduled. */
  index: number

  constructor(owner: T, streamId: number) {
    this.owner = owner
    this.streamId = streamId
    this.rank = DEFAULT_URGENCY * 2 + (DEFAULT_INCREMENTAL ? 1 : 0)
    this.order = streamId
    this.index = -1
  }

  get urgency(): number {
    return this.rank >> 1
  }
}

export class StreamSchedule<T> {
  private readonly heap: ScheduleNode<T>[]
  private turn: number

  constructor() {
    this.heap = []
    this.turn = 0
  }

  get size(): number {
    return this.heap.length
  }

  /** The node whose turn it is. */
  peek(): ScheduleNode<T> | null {
    return this.heap.length === 0 ? null : this.heap[0]!
  }

  /** Schedules the node, behind the incremental ones of its rank. No effect when it is scheduled. */
  add(node: ScheduleNode<T>): void {
    if (node.index >= 0) return
    node.order = this.orderOf(node)
    this.heap.push(node)
    this.up(node, this.heap.length - 1)
  }

  /** No effect when it is not scheduled. */
  remove(node: ScheduleNode<T>): void {
    const index = node.index
    if (index < 0) return
    node.index = -1
    const last = this.heap.pop()!
    if (last !== node) this.place(last, index)
  }

  /** The node has sent: an incremental one goes behind the others of its rank. */
  rotate(node: ScheduleNode<T>): void {
    if (node.index < 0 || (node.rank & 1) === 0) return
    node.order = ++this.turn
    this.down(node, node.index)
  }

  setPriority(node: ScheduleNode<T>, urgency: number, incremental: boolean): void {
    node.rank = urgency * 2 + (incremental ? 1 : 0)
    node.order = this.orderOf(node)
    if (node.index >= 0) this.place(node, node.index)
  }

  private orderOf(node: ScheduleNode<T>): number {
    return (node.rank & 1) === 0 ? node.streamId : ++this.turn
  }

  private place(node: ScheduleNode<T>, index: number): void {
    this.up(node, index)
    if (node.index === index) this.down(node, index)
  }

  private up(node: ScheduleNode<T>, from: number): void {
    const heap = this.heap
    let index = from
    while (index > 0) {
      const parentIndex = (index - 1) >> 1
      const parent = heap[parentIndex]!
      if (!isBefore(node, parent)) break
      heap[index] = parent
      parent.index = index
      index = parentIndex
    }
    heap[index] = node
    node.index = index
  }

  private down(node: ScheduleNode<T>, from: number): void {
    const heap = this.heap
    const length = heap.length
    let index = from
    for (;;) {
      let childIndex = 2 * index + 1
      if (childIndex >= length) break
      let child = heap[childIndex]!
      const right = childIndex + 1
      if (right < length && isBefore(heap[right]!, child)) {
        childIndex = right
        child = heap[right]!
      }
      if (!isBefore(child, node)) break
      heap[index] = child
      child.index = index
      index = childIndex
    }
    heap[index] = node
    node.index = index
  }
}

function isBefore<T>(a: ScheduleNode<T>, b: ScheduleNode<T>): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.order < b.order)
}
