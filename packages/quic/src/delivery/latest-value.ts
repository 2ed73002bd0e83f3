// A number of which only the latest matters: MAX_DATA, MAX_STREAMS, DATA_BLOCKED (RFC 9000 §13.3: a lost limit is repeated only if
// it is still the one last said, and then with the value of now).

export class LatestValue {
  /** The value to be said, -1 before the first. */
  value: number
  private said: number
  private pending: boolean

  constructor() {
    this.value = -1
    this.said = -1
    this.pending = false
  }

  /** Sets the value and asks for it to be said, unless it is what was said last. */
  set(value: number): void {
    this.value = value
    if (value !== this.said) this.pending = true
  }

  /** Nothing is to be said any more. What was said stays comparable. */
  withdraw(): void {
    this.pending = false
  }

  /** Nothing was ever said: early data was rejected. */
  startOver(): void {
    this.said = -1
    this.pending = false
  }

  wants(): boolean {
    return this.pending
  }

  written(): void {
    this.said = this.value
    this.pending = false
  }

  /** The packet that said `value` is lost. */
  lost(value: number): void {
    if (value === this.said && !this.pending) this.pending = true
  }

  /** Says the value once more. No effect before it was said, or when nothing is to be said. */
  repeat(): void {
    if (this.value === this.said && this.said !== -1) this.pending = true
  }

  /** The value said last, -1 when none. */
  lastSaid(): number {
    return this.said
  }
}
