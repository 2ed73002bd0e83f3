// A text file that is only appended to, without waiting: what is pending is written in the background, and at process exit in one go.

import { openSync, write, writeSync, close } from 'node:fs'

const open = new Set<LogFile>()
let exitHooked = false

function flushAtExit(): void {
  for (const file of open) file.writeNow()
}

export class LogFile {
  private readonly descriptor: number
  private readonly encode: (text: string) => Uint8Array
  private pending: string
  private writing: boolean
  private ending: boolean

  /** `encode`: what is written for a piece of text, default UTF-8. Throws the system's error when the file cannot be opened. */
  constructor(path: string, encode: (text: string) => Uint8Array = (text) => Buffer.from(text)) {
    this.descriptor = openSync(path, 'a')
    this.encode = encode
    this.pending = ''
    this.writing = false
    this.ending = false
    open.add(this)
    if (!exitHooked) {
      exitHooked = true
      process.on('exit', flushAtExit)
    }
  }

  append(text: string): void {
    if (this.ending) return
    this.pending += text
    if (!this.writing) this.writeNext()
  }

  /** Closes the file once everything is written. */
  end(): void {
    if (this.ending) return
    this.ending = true
    if (!this.writing) this.writeNext()
  }

  writeNow(): void {
    const text = this.pending
    this.pending = ''
    try {
      if (text !== '') writeSync(this.descriptor, this.encode(text))
    } catch {
      // A full disk must not break the connections that are being logged.
    }
  }

  private writeNext(): void {
    const text = this.pending
    if (text === '') {
      if (this.ending && open.delete(this)) close(this.descriptor)
      return
    }
    this.pending = ''
    this.writing = true
    write(this.descriptor, this.encode(text), () => {
      this.writing = false
      this.writeNext()
    })
  }
}
