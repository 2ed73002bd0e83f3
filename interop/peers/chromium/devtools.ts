// A minimal DevTools client over --remote-debugging-pipe: JSON messages ended by a zero byte, commands on descriptor 3 of
// the browser, answers and events on descriptor 4.

import type { Readable, Writable } from 'node:stream'
import { ProcessError, type Child } from '../../process/child.ts'

export type Json = Record<string, unknown>

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Json
  readonly result?: Json
  readonly error?: { readonly message: string }
}

interface Waiter {
  readonly resolve: (result: Json) => void
  readonly reject: (error: Error) => void
}

export class DevTools {
  private readonly output: Writable
  private readonly waiting: Map<number, Waiter>
  private readonly listeners: ((method: string, params: Json) => void)[]
  private nextId: number
  private received: string

  constructor(browser: Child) {
    this.output = browser.process.stdio[3] as Writable
    this.waiting = new Map()
    this.listeners = []
    this.nextId = 1
    this.received = ''
    const input = browser.process.stdio[4] as Readable
    input.setEncoding('utf8')
    input.on('data', (text: string) => this.read(text))
    this.output.on('error', () => {})
    input.on('error', () => {})
    input.on('close', () => this.end())
  }

  onEvent(listener: (method: string, params: Json) => void): void {
    this.listeners.push(listener)
  }

  send(method: string, params: Json, sessionId?: string): Promise<Json> {
    const id = this.nextId++
    return new Promise((resolve, reject) => {
      if (this.output.destroyed) throw new ProcessError(`${method}: the browser has ended`)
      this.waiting.set(id, { resolve, reject: (error) => reject(new ProcessError(`${method}: ${error.message}`)) })
      this.output.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`)
    })
  }

  private end(): void {
    for (const waiter of this.waiting.values()) waiter.reject(new Error('the browser has ended'))
    this.waiting.clear()
  }

  private read(text: string): void {
    const parts = (this.received + text).split('\0')
    this.received = parts.pop() ?? ''
    for (const part of parts) this.take(JSON.parse(part) as Message)
  }

  private take(message: Message): void {
    if (message.id === undefined) {
      for (const listener of this.listeners) listener(message.method ?? '', message.params ?? {})
      return
    }
    const waiter = this.waiting.get(message.id)
    this.waiting.delete(message.id)
    if (message.error === undefined) waiter?.resolve(message.result ?? {})
    else waiter?.reject(new Error(message.error.message))
  }
}
