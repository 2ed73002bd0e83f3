// Kinds of UDP socket side by side, in turns: what a datagram costs from one to the other, and a bulk download. On a Node with node:ffi:
//   tsc -b && node --expose-gc --import tsx bench/sockets.ts [rounds]

import { DgramSocket, FfiSocket, ffiSupport, type DatagramSocket } from '@quicwire/driver'
import { Child } from './child.ts'
import { BULK_BYTES } from './work.ts'

const KINDS = ['dgram', 'ffi'] as const
const DATAGRAMS = 200_000
/** What a worker sends in one turn. */
const BURST = 128

/** Microseconds of processor time a datagram of 1200 bytes takes, sending and receiving, in one process. */
async function datagramCost(bind: () => Promise<DatagramSocket>): Promise<number> {
  const [from, to] = [await bind(), await bind()]
  const path = from.path(to.localAddress.address, to.localAddress.port)
  let received = 0
  let arrived = (): void => undefined
  to.open({
    onReadable: () => void setImmediate(take),
    onWritable: () => undefined,
    onUnreachable: () => undefined,
    onFailed: (error) => {
      throw error
    },
  })
  function take(): void {
    const batch = to.receive()
    if (batch === null) return
    received += batch.length
    batch.clear()
    if (received % BURST === 0) arrived()
  }
  const cpu = process.cpuUsage()
  for (let sent = 0; sent < DATAGRAMS; sent += BURST) {
    const all = new Promise<void>((resolve) => (arrived = resolve))
    for (let i = 0; i < BURST; i++) {
      from.acquire()[0] = i
      from.send(1200, path, 0)
    }
    from.flush()
    await all
  }
  const { user, system } = process.cpuUsage(cpu)
  await from.close()
  await to.close()
  return (user + system) / received
}

interface Download {
  readonly rate: number
  /** Seconds of processor time per gigabyte. */
  readonly server: number
  readonly client: number
}

async function download(kind: string, datagramSize: string): Promise<Download> {
  process.env['QUICWIRE_SOCKET'] = kind
  const server = Child.start('./quicwire-server.ts', [datagramSize])
  const url = (await server.ask('start')).value as string
  const client = Child.start('./quicwire-client.ts', [url, datagramSize])
  await client.ask('small')
  await server.ask('reset')
  const { value, cost } = await client.ask('bulk')
  const serverCost = (await server.ask('reset')).cost
  client.stop()
  server.stop()
  const gigabytes = BULK_BYTES / 1e9
  return { rate: value as number, server: serverCost.cpuSeconds / gigabytes, client: cost.cpuSeconds / gigabytes }
}

const support = ffiSupport()
if (!support.available) throw new Error(`no ffi socket here: ${support.reason}`)
const rounds = Number(process.argv[2] ?? 3)
const binders: Record<(typeof KINDS)[number], () => Promise<DatagramSocket>> = {
  dgram: () => DgramSocket.bind({ address: '127.0.0.1' }),
  ffi: () => FfiSocket.bind({ address: '127.0.0.1' }),
}
for (let round = 0; round < rounds; round++) {
  for (const kind of KINDS) console.log(`${kind.padEnd(6)} datagram sent and received ${(await datagramCost(binders[kind])).toFixed(2)} us`)
  for (const size of ['1200', 'found']) {
    for (const kind of KINDS) {
      const { rate, server, client } = await download(kind, size)
      console.log(`${kind.padEnd(6)} bulk, datagrams ${size.padEnd(6)} ${rate.toFixed(0)} MB/s, processor ${server.toFixed(1)} / ${client.toFixed(1)} s/GB`)
    }
  }
}
