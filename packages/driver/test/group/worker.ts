// A worker of a group: answers every request with its own index, and tells the main thread of those that came early.

import { parentPort, workerData } from 'node:worker_threads'
import { http3EarlyData, joinGroup, listen, serverH3Driver, type CertificateOption, type GroupMember, type ServerH3Controller } from '../../src/index.ts'

const { member, certificate } = workerData as { readonly member: GroupMember; readonly certificate: CertificateOption }
const { tls, ...place } = await joinGroup(member)
const listener = await listen({ ...place, tls: { ...tls, certificates: [certificate], earlyData: true }, earlyDataPolicy: http3EarlyData() })
let early = 0

async function answer(controller: ServerH3Controller): Promise<void> {
  for await (const event of controller.events) {
    if (event.kind !== 'Headers') continue
    if (event.isInEarlyData) early++
    const { send } = event.incoming
    await send.send({ kind: 'Headers', headers: [[':status', '200'], ['worker', String(member.index)]], fin: true })
    send.close()
  }
}

parentPort!.on('message', (message) => {
  if (message === 'early') parentPort!.postMessage(early)
  else void listener.close().then(() => parentPort!.close())
})
parentPort!.postMessage('ready')
for await (const incoming of listener) {
  const { driver, controller } = serverH3Driver()
  incoming.start(driver)
  void answer(controller)
}
