// Child processes with their output in a log file. Each leads its own process group, so that stopping one stops what it
// started; whatever still runs when this process ends is killed.

import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { once } from 'node:events'

export interface ChildOptions {
  /** What messages call it. */
  readonly name: string
  /** Receives standard output and standard error. */
  readonly logFile: string
  readonly env?: Readonly<Record<string, string>>
  /** Pipes beside the three standard descriptors, from descriptor 3 on. */
  readonly extraPipes?: number
}

export interface ExitStatus {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class ProcessError extends Error {
  override readonly name: string = 'ProcessError'
}

const running = new Set<Child>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export class Child {
  readonly name: string
  readonly logFile: string
  readonly process: ChildProcess
  readonly exit: Promise<ExitStatus>
  private ended: ExitStatus | null

  private constructor(name: string, logFile: string, started: ChildProcess) {
    this.name = name
    this.logFile = logFile
    this.process = started
    this.ended = null
    this.exit = once(started, 'exit').then(([code, signal]) => {
      running.delete(this)
      this.ended = { code: code as number | null, signal: signal as NodeJS.Signals | null }
      return this.ended
    })
    running.add(this)
  }

  /** Rejects when the program cannot be started at all. */
  static async start(command: string, args: readonly string[], options: ChildOptions): Promise<Child> {
    const log = openSync(options.logFile, 'a')
    const stdio: StdioOptions = ['ignore', log, log, ...Array.from({ length: options.extraPipes ?? 0 }, () => 'pipe' as const)]
    const started = spawn(command, args, { stdio, detached: true, env: { ...process.env, ...options.env } })
    closeSync(log)
    await new Promise<void>((resolve, reject) => {
      started.once('spawn', resolve)
      started.once('error', (error) => reject(new ProcessError(`${options.name} cannot be started: ${error.message}`, { cause: error })))
    })
    return new Child(options.name, options.logFile, started)
  }

  get exited(): boolean {
    return this.ended !== null
  }

  output(): string {
    return readFileSync(this.logFile, 'utf8')
  }

  /** Resolves with the exit; rejects after `timeoutMs`, with the group killed. */
  async finish(timeoutMs: number): Promise<ExitStatus> {
    const status = await this.exitWithin(timeoutMs)
    if (status !== null) return status
    this.kill('SIGKILL')
    await this.exit
    throw new ProcessError(`${this.name} was not done after ${timeoutMs / 1000} s${quoted(lastLine(this.output()))}`)
  }

  /** The exit; null when there is none within `timeoutMs`. */
  exitWithin(timeoutMs: number): Promise<ExitStatus | null> {
    return before(this.exit, timeoutMs)
  }

  /** Interrupts, and kills what has not ended within `graceMs`. */
  async stop(graceMs = 3000): Promise<void> {
    if (this.exited) return
    this.kill('SIGINT')
    if ((await this.exitWithin(graceMs)) === null) this.kill('SIGKILL')
    await this.exit
  }

  kill(signal: NodeJS.Signals): void {
    const { pid } = this.process
    if (pid === undefined) return
    try {
      process.kill(-pid, signal)
    } catch {
      // The group is gone already.
    }
  }
}

/** The last line that says something, '' if there is none. */
export function lastLine(text: string): string {
  return text.split('\n').findLast((line) => line.trim() !== '')?.trim() ?? ''
}

export function quoted(text: string): string {
  return text === '' ? '' : `: ${text.slice(0, 300)}`
}

async function before<T>(promise: Promise<T>, timeoutMs: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), timeoutMs)
  })
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}
