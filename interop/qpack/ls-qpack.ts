// The encoder and decoder of ls-qpack in a process of their own (ls_qpack.py).

import { fileURLToPath } from 'node:url'
import { QpackProcess, cache, type QpackPeer, type QpackRequest, type QpackResult } from './peer.ts'
import { runInstallScript } from '../peers/install-script.ts'

export class LsQpack implements QpackPeer {
  readonly name: string = 'ls-qpack'
  private readonly process: QpackProcess

  constructor() {
    this.process = new QpackProcess(`${cache}/ls-qpack/bin/python`, [fileURLToPath(new URL('ls_qpack.py', import.meta.url))])
  }

  /** The version of pylsqpack, which holds it. */
  static install(): Promise<string> {
    return runInstallScript(new URL('install-ls-qpack.sh', import.meta.url), [`${cache}/ls-qpack`])
  }

  async one(request: QpackRequest): Promise<QpackResult> {
    const result = JSON.parse(await this.process.ask(JSON.stringify(request))) as QpackResult & { error?: string }
    if (result.error !== undefined) throw new Error(`ls-qpack refuses ${JSON.stringify(request)}: ${result.error}`)
    return result
  }

  stop(): void {
    this.process.stop()
  }
}
