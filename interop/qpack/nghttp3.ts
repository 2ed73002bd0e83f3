// The encoder and decoder of nghttp3 in a process of their own (nghttp3_qpack.c).

import type { FieldLine } from '@quicwire/qpack'
import { QpackProcess, cache, type QpackPeer, type QpackRequest, type QpackResult } from './peer.ts'
import { runInstallScript } from '../peers/install-script.ts'

export class Nghttp3 implements QpackPeer {
  readonly name: string = 'nghttp3'
  private readonly process: QpackProcess

  constructor() {
    this.process = new QpackProcess(`${cache}/nghttp3/nghttp3-qpack`, [])
  }

  static install(): Promise<string> {
    return runInstallScript(new URL('install-nghttp3.sh', import.meta.url), [`${cache}/nghttp3`])
  }

  async one(request: QpackRequest): Promise<QpackResult> {
    const line = await this.process.ask(words(request).join(' '))
    if (line.startsWith('error ')) throw new Error(`nghttp3 refuses ${JSON.stringify(request)}: ${line.slice(6)}`)
    return result(line.split(' '))
  }

  stop(): void {
    this.process.stop()
  }
}

function words(request: QpackRequest): (string | number)[] {
  switch (request.verb) {
    case 'encoder':
    case 'decoder':
      return [request.verb, request.capacity, request.blocked]
    case 'encode':
      return [request.verb, request.stream, request.headers.length, ...request.headers.flat().map(hexOf)]
    case 'feed-decoder':
    case 'feed-encoder':
      return [request.verb, request.data || '-']
    case 'decode':
      return [request.verb, request.stream, request.data || '-']
    case 'resume':
    case 'cancel':
      return [request.verb, request.stream]
  }
}

function hexOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex') || '-'
}

function textOf(word: string): string {
  return word === '-' ? '' : Buffer.from(word, 'hex').toString('latin1')
}

/** `instructions HEX [section HEX | headers NAME VALUE …]`, `unblocked STREAM …`, `blocked` or `ok`. */
function result(line: readonly string[]): QpackResult {
  if (line[0] === 'unblocked') return { unblocked: line.slice(1).map(Number) }
  if (line[0] === 'blocked') return { blocked: true }
  if (line[0] !== 'instructions') return {}
  const instructions = line[1] === '-' ? '' : line[1]!
  if (line[2] === 'section') return { instructions, section: line[3]! }
  const headers: FieldLine[] = []
  for (let i = 3; i + 1 < line.length; i += 2) headers.push([textOf(line[i]!), textOf(line[i + 1]!)])
  return { instructions, headers }
}
