// The last events of a simulation, kept as they happen and written out only when something fails.

export interface TraceEntry {
  readonly time: number
  readonly text: string
}

export class TraceLog {
  private readonly entries: TraceEntry[]
  private readonly capacity: number
  private total: number

  constructor(capacity: number = 50) {
    this.entries = []
    this.capacity = capacity
    this.total = 0
  }

  add(time: number, text: string): void {
    this.entries[this.total % this.capacity] = { time, text }
    this.total++
  }

  /** Oldest first. */
  recent(): TraceEntry[] {
    const from = this.total <= this.capacity ? 0 : this.total % this.capacity
    return [...this.entries.slice(from), ...this.entries.slice(0, from)]
  }

  /** One line per entry, with a note on how many came before. */
  format(): string {
    const hidden = Math.max(0, this.total - this.capacity)
    const lines = this.recent().map((entry) => `  ${entry.time.toFixed(3).padStart(12)} ms  ${entry.text}`)
    return (hidden > 0 ? [`  (${hidden} earlier events not kept)`, ...lines] : lines).join('\n')
  }
}
