// One line on a terminal that shows how far a download is. Draws at most ten times a second and nothing at all when the
// output is no terminal.

import { formatBytes, formatDuration, formatRate } from './quantity.ts'

/** What a stream such as process.stderr offers. */
export interface TerminalOutput {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

const REDRAW_MS = 100

export class ProgressBar {
  private readonly output: TerminalOutput
  private readonly label: string
  private readonly clock: () => number
  private readonly startedAt: number
  private drawnAt: number
  private total: number | null
  private done: number
  private drawn: boolean

  constructor(output: TerminalOutput, label: string, total: number | null, clock: () => number = () => performance.now()) {
    this.output = output
    this.label = label
    this.total = total
    this.clock = clock
    this.startedAt = clock()
    this.drawnAt = -Infinity
    this.done = 0
    this.drawn = false
  }

  setTotal(total: number | null): void {
    this.total = total
  }

  add(bytes: number): void {
    this.done += bytes
    const now = this.clock()
    if (this.output.isTTY !== true || now - this.drawnAt < REDRAW_MS) return
    this.drawnAt = now
    this.draw(now)
  }

  /** Draws the last state and ends the line. */
  finish(): void {
    if (this.output.isTTY !== true) return
    this.draw(this.clock())
    this.output.write('\n')
  }

  /** Takes the line away, so that something else can be printed. */
  clear(): void {
    if (this.drawn) this.output.write('\r\x1b[K')
    this.drawn = false
  }

  private draw(now: number): void {
    this.drawn = true
    this.output.write(`\r\x1b[K${progressLine(this.label, this.done, this.total, now - this.startedAt, this.output.columns ?? 80)}`)
  }
}

/** The line itself, never wider than `columns` − 1. */
export function progressLine(label: string, done: number, total: number | null, elapsedMs: number, columns: number): string {
  const rate = formatRate(done, elapsedMs)
  const left = total !== null && done > 0 && done < total ? `, ${formatDuration((elapsedMs * (total - done)) / done)} left` : ''
  const figures = total === null ? `${formatBytes(done)}  ${rate}` : `${formatBytes(done)} of ${formatBytes(total)}  ${rate}${left}`
  const room = columns - 1
  const name = label.length > 24 ? `…${label.slice(-23)}` : label
  const barWidth = Math.min(40, room - name.length - figures.length - 8)
  if (total === null || barWidth < 8) return `${name}  ${figures}`.slice(0, Math.max(0, room))
  const fraction = total === 0 ? 1 : Math.min(1, done / total)
  const full = Math.round(fraction * barWidth)
  const percent = `${Math.floor(fraction * 100)}%`.padStart(4)
  return `${name} [${'='.repeat(full)}${' '.repeat(barWidth - full)}]${percent} ${figures}`.slice(0, room)
}
