// A thread that runs a TypeScript file of the tests.

import { Worker, type Transferable } from 'node:worker_threads'

export function sourceThread(name: string, workerData: unknown, transferList: readonly Transferable[] = []): Worker {
  // Node 20 does not load --import in worker threads.
  const script = JSON.stringify(new URL(name, import.meta.url).href)
  return new Worker(`import('tsx/esm/api').then(({ register }) => { register(); return import(${script}) })`, {
    eval: true,
    workerData,
    transferList: [...transferList],
    execArgv: ['--conditions=@quicwire/source'],
  })
}
