/**
 * JSON Text Sequences (RFC 7464, main-schema §11.2): every record is RS, one JSON text, LF. Records leave one by one unless a
 * buffer is asked for.
 */
import type { QlogObject } from './events.ts'

const RECORD_SEPARATOR = '\u001e'

export class RecordWriter {
  private readonly sink: (text: string) => void
  private readonly bufferLength: number
  private pending: string = ''

  /** @param bufferLength characters gathered before the sink is called; 0: each record at once */
  constructor(sink: (text: string) => void, bufferLength: number) {
    this.sink = sink
    this.bufferLength = bufferLength
  }

  write(record: QlogObject): void {
    this.pending += `${RECORD_SEPARATOR}${JSON.stringify(record)}\n`
    if (this.pending.length >= this.bufferLength) this.flush()
  }

  /** Hands over what is gathered. */
  flush(): void {
    if (this.pending === '') return
    const text = this.pending
    this.pending = ''
    this.sink(text)
  }
}
