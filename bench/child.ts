// A bench program in a process of its own: started, asked to work, asked what it cost. One message each way per step.

import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Cost {
  /** Seconds of processor time, user and system, since the process was asked to start counting. */
  readonly cpuSeconds: number
}

/** What a child answers; `value` depends on the program. */
interface Answer {
  readonly value: unknown
  readonly cost: Cost
}

export class Child {
  private readonly process: ChildProcess

  private constructor(process: ChildProcess) {
    this.process = process
  }

  static start(program: string, args: readonly string[]): Child {
    const file = fileURLToPath(new URL(program, import.meta.url))
    return new Child(fork(file, args, { execArgv: process.execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
  }

  /** Sends `request`, resolves with the child's answer. Rejects when the child ends instead. */
  ask(request: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null): void => reject(new Error(`bench child ended with ${code} instead of answering '${request}'`))
      this.process.once('exit', onExit)
      this.process.once('message', (answer: Answer) => {
        this.process.off('exit', onExit)
        resolve(answer)
      })
      this.process.send(request)
    })
  }

  stop(): void {
    this.process.kill()
  }
}

/** The child's side: answers each request with what `handle` gives and the processor time it took. */
export function answer(handle: (request: string) => Promise<unknown>): void {
  let since = process.cpuUsage()
  process.on('message', (request: string) => {
    void handle(request).then((value) => {
      const { user, system } = process.cpuUsage(since)
      process.send?.({ value, cost: { cpuSeconds: (user + system) / 1e6 } } satisfies Answer)
      since = process.cpuUsage()
    })
  })
}
