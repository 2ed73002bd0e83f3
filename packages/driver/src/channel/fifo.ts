// A growable FIFO on a power-of-two ring. Owner of the items queued in a channel, a router's run queue and the like.

export class Fifo<T> {
  private slots: (T | undefined)[]
  private head: number
  private size: number

  constructor(initialCapacity: number = 16) {
    let slots = 4
    while (slots < initialCapacity) slots *= 2
    this.slots = new Array<T | undefined>(slots).fill(undefined)
    this.head = 0
    this.size = 0
  }

  get length(): number {
    return this.size
  }

  push(value: T): void {
    if (this.size === this.slots.length) this.grow()
    this.slots[(this.head + this.size) & (this.slots.length - 1)] = value
    this.size++
  }

  shift(): T | undefined {
    if (this.size === 0) return undefined
    const value = this.slots[this.head]
    this.slots[this.head] = undefined
    this.head = (this.head + 1) & (this.slots.length - 1)
    this.size--
    return value
  }

  /** The item that was pushed last, still queued. */
  last(): T | undefined {
    if (this.size === 0) return undefined
    return this.slots[(this.head + this.size - 1) & (this.slots.length - 1)]
  }

  clear(): void {
    this.slots.fill(undefined)
    this.head = 0
    this.size = 0
  }

  private grow(): void {
    const old = this.slots
    const mask = old.length - 1
    const slots = new Array<T | undefined>(old.length * 2).fill(undefined)
    for (let i = 0; i < this.size; i++) slots[i] = old[(this.head + i) & mask]
    this.slots = slots
    this.head = 0
  }
}
