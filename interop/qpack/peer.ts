// What somebody else's QPACK encoder and decoder are asked, and the pipe to the process they run in.

import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { FieldLine } from '@quicwire/qpack'

/** Where the peers of this folder are installed, each in a folder of its own. */
export const cache: string = fileURLToPath(new URL('../../node_modules/.cache/quicwire/interop/qpack', import.meta.url))

/** Stretches of streams are hexadecimal. */
export type QpackRequest =
  | { readonly verb: 'encoder' | 'decoder'; readonly capacity: number; readonly blocked: number }
  | { readonly verb: 'encode'; readonly stream: number; readonly headers: readonly FieldLine[] }
  | { readonly verb: 'feed-decoder' | 'feed-encoder'; readonly data: string }
  | { readonly verb: 'decode'; readonly stream: number; readonly data: string }
  | { readonly verb: 'resume' | 'cancel'; readonly stream: number }

export interface QpackResult {
  readonly instructions?: string
  readonly section?: string
  readonly unblocked?: number[]
  readonly headers?: FieldLine[]
  readonly blocked?: boolean
}

export interface QpackPeer {
  readonly name: string
  /** Rejects when the peer refuses. */
  one(request: QpackRequest): Promise<QpackResult>
  stop(): void
}

/** A program that answers each line with a line. */
export class QpackProcess {
  private readonly program: string
  private readonly child: ChildProcessWithoutNullStreams
  private readonly lines: AsyncIterator<string>

  constructor(program: string, args: readonly string[]) {
    this.program = program
    this.child = spawn(program, args)
    this.child.stderr.pipe(process.stderr)
    this.lines = createInterface(this.child.stdout)[Symbol.asyncIterator]()
  }

  async ask(question: string): Promise<string> {
    this.child.stdin.write(`${question}\n`)
    const line = await this.lines.next()
    if (line.done === true) throw new Error(`${this.program} has ended`)
    return line.value as string
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
