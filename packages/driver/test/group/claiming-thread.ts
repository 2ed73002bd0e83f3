// Claims ids in the order given and says which it was given.

import { parentPort, workerData } from 'node:worker_threads'
import { SharedReplayRegister } from '../../src/group/shared-replay-register.ts'

const { memory, ids, now, start } = workerData as {
  readonly memory: SharedArrayBuffer
  readonly ids: readonly Uint8Array[]
  readonly now: number
  readonly start: SharedArrayBuffer
}
const register = new SharedReplayRegister(memory)
parentPort!.postMessage('ready')
Atomics.wait(new Int32Array(start), 0, 0)
parentPort!.postMessage(ids.map((id) => register.claim(id, now, now + 10_000)))
