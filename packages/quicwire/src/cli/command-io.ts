// What a command touches of the outside: its streams and the interrupt. Tests pass their own.

import type { TerminalOutput } from './progress-bar.ts'

export interface ByteOutput {
  /** False: wait for the callback of the last write before writing more. */
  write(data: Uint8Array | string, done?: (error?: Error | null) => void): boolean
}

export interface CommandIo {
  readonly stdout: ByteOutput
  readonly stderr: TerminalOutput
  /** Calls back on SIGINT and SIGTERM; the returned function ends that. */
  onInterrupt(callback: () => void): () => void
}

/** Writes and waits until the output has taken it. */
export function writeFully(output: ByteOutput, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    output.write(data, (error) => (error === null || error === undefined ? resolve() : reject(error)))
  })
}
