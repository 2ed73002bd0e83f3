// A first-in first-out queue on a power-of-two array: shift() is constant time, unlike Array.prototype.shift.

const INITIAL_CAPACITY = 8

/** Unbounded queue; who pushes bounds it. */
export class Ring<T> {
  private slots: (T | undefined)[]
  private head: number
  private size: number

  /** `capacity`: places to begin with, a power of two. Default 8. */
  constructor(capacity: number = INITIAL_CAPACITY) {
    this.slots = new Array<T | undefined>(capacity).fill(undefined)
    this.head = 0
    this.size = 0
  }

  get length(): number {
    return this.size
  }

  /** Appends at the tail. */
  push(value: T): void {
    if (this.size === this.slots.length) this.grow()
    this.slots[(this.head + this.size) & (this.slots.length - 1)] = value
    this.size++
  }

  /** Removes and returns the head; undefined when empty. */
  shift(): T | undefined {
    if (this.size === 0) return undefined
    const value = this.slots[this.head]
    this.slots[this.head] = undefined
    this.head = (this.head + 1) & (this.slots.length - 1)
    this.size--
    return value
  }

  /** Removes and returns the tail; undefined when empty. */
  pop(): T | undefined {
    if (this.size === 0) return undefined
    this.size--
    const index = (this.head + this.size) & (this.slots.length - 1)
    const value = this.slots[index]
    this.slots[index] = undefined
    return value
  }

  /** The head, left in place; undefined when empty. */
  peek(): T | undefined {
    return this.size === 0 ? undefined : this.slots[this.head]
  }

  /** The element that was pushed last; undefined when empty. */
  last(): T | undefined {
    return this.size === 0 ? undefined : this.slots[(this.head + this.size - 1) & (this.slots.length - 1)]
  }

  /** The element `index` places behind the head; undefined outside of [0, length). */
  at(index: number): T | undefined {
    if (index < 0 || index >= this.size) return undefined
    return this.slots[(this.head + index) & (this.slots.length - 1)]
  }

  /** Drops every element, and the memory a long queue had grown to. */
  clear(): void {
    this.slots = new Array<T | undefined>(INITIAL_CAPACITY).fill(undefined)
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
