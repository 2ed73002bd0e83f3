// The encoder and decoder of ls-qpack in a process of their own (ls_qpack.py).

import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { FieldLine } from '@quicwire/qpack'
import { runInstallScript } from '../peers/install-script.ts'

const environment = fileURLToPath(new URL('../../node_modules/.cache/quicwire/interop/qpack', import.meta.url))

export type Request =
  | { readonly verb: 'encoder' | 'decoder'; readonly capacity: number; readonly blocked: number }
  | { readonly verb: 'encode'; readonly stream: number; readonly headers: readonly FieldLine[] }
  | { readonly verb: 'feed-decoder' | 'feed-encoder'; readonly data: string }
  | { readonly verb: 'decode'; readonly stream: number; readonly data: string }
  | { readonly verb: 'resume' | 'cancel'; readonly stream: number }

export interface Result {
  readonly instructions?: string
  readonly section?: string
  readonly unblocked?: number[]
  readonly headers?: FieldLine[]
  readonly blocked?: boolean
}

export function install(): Promise<string> {
  return runInstallScript(new URL('install.sh', import.meta.url), [environment])
}

export class LsQpack {
  private readonly child: ChildProcessWithoutNullStreams
  private readonly lines: AsyncIterator<string>

  constructor() {
    this.child = spawn(`${environment}/bin/python`, [fileURLToPath(new URL('ls_qpack.py', import.meta.url))])
    this.child.stderr.pipe(process.stderr)
    this.lines = createInterface(this.child.stdout)[Symbol.asyncIterator]()
  }

  async all(requests: readonly Request[]): Promise<Result[]> {
    this.child.stdin.write(`${JSON.stringify(requests)}\n`)
    const line = await this.lines.next()
    if (line.done === true) throw new Error('ls_qpack.py has ended')
    const results = JSON.parse(line.value as string) as (Result & { error?: string })[]
    results.forEach((result, i) => {
      if (result.error !== undefined) throw new Error(`ls-qpack refuses ${JSON.stringify(requests[i])}: ${result.error}`)
    })
    return results
  }

  async one(request: Request): Promise<Result> {
    return (await this.all([request]))[0]!
  }

  stop(): void {
    this.child.stdin.end()
  }
}

export function hex(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')
}

export function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}
