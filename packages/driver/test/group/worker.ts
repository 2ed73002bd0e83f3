// A worker of a group: answers every request with its own index.

import { parentPort, workerData } from 'node:worker_threads'
import { joinGroup, listen, serverH3Driver, type CertificateOption, type GroupMember, type ServerH3Controller } from '../../src/index.ts'

const { member, certificate } = workerData as { readonly member: GroupMember; readonly certificate: CertificateOption }
const { ticketKeys, ...joined } = await joinGroup(member)
const listener = await listen({ ...joined, tls: { certificates: [certificate], ticketKeys } })

async function answer(controller: ServerH3Controller): Promise<void> {
  for await (const event of controller.events) {
    if (event.kind !== 'Headers') continue
    const { send } = event.incoming
    await send.send({ kind: 'Headers', headers: [[':status', '200'], ['worker', String(member.index)]], fin: true })
    send.close()
  }
}

parentPort!.on('message', () => {
  void listener.close().then(() => parentPort!.close())
})
parentPort!.postMessage('ready')
for await (const incoming of listener) {
  const { driver, controller } = serverH3Driver()
  incoming.start(driver)
  void answer(controller)
}
