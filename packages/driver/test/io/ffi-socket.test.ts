// What FfiSocket does beyond every DatagramSocket: marks of both IP versions on one socket, DF, errors of its own.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { DgramSocket } from '../../src/io/dgram-socket.ts'
import { ffiSupport } from '../../src/io/ffi/availability.ts'
import { FfiSocket } from '../../src/io/ffi/ffi-socket.ts'
import { watchedDescriptors } from '../../src/io/ffi/readiness.ts'
import { bindUdpSocket } from '../../src/io/socket-kind.ts'
import { ffiReason, hasFfi } from './ffi-under-test.ts'
import { Reader, queue, send } from './socket-reader.ts'

const source = new URL('../../src/io/', import.meta.url).href

/** Runs a module text in a Node of its own; what it prints. */
function run(text: string, ...flags: string[]): string {
  const args = ['--no-warnings', '--conditions=@quicwire/source', ...flags, '--input-type=module', '-e', text]
  return execFileSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } }).trim()
}

describe('without node:ffi', () => {
  it.skipIf(hasFfi)(`bind() says why it cannot, by code and reason${hasFfi ? ' [skipped: it can, here]' : ''}`, async () => {
    const support = ffiSupport()
    expect(support.available ? '' : support.reason).toMatch(/^(platform|node|permission|worker-thread|symbols)$/)
    await expect(FfiSocket.bind()).rejects.toMatchObject({ code: 'QUIC_SOCKET_UNAVAILABLE' })
    await expect(bindUdpSocket('ffi', {})).rejects.toMatchObject({ code: 'QUIC_SOCKET_UNAVAILABLE' })
  })

  it('other kinds are had by name, and unknown names refused', async () => {
    const socket = await bindUdpSocket('dgram', { address: '127.0.0.1' })
    expect(socket).toBeInstanceOf(DgramSocket)
    await socket.close()
    await expect(bindUdpSocket('udp' as 'ffi', {})).rejects.toMatchObject({ code: 'QUIC_INVALID_OPTION' })
  })

  it.skipIf(!hasFfi)(`a Node that was told not to have it says so${ffiReason}`, () => {
    const text = `const { ffiSupport } = await import('${source}ffi/availability.ts'); console.log(JSON.stringify(ffiSupport()))`
    expect(JSON.parse(run(text, '--no-experimental-ffi'))).toEqual({ available: false, reason: 'node' })
  })

  it.skipIf(!hasFfi)(`a worker thread has none: it could not be terminated with an open socket${ffiReason}`, async () => {
    const text = `import('${source}ffi/availability.ts').then((m) => require('worker_threads').parentPort.postMessage(m.ffiSupport()))`
    const worker = new Worker(text, { eval: true, execArgv: ['--conditions=@quicwire/source'] })
    const said = await new Promise((resolve) => worker.once('message', resolve))
    expect(said).toEqual({ available: false, reason: 'worker-thread' })
    await worker.terminate()
  })
})

describe.skipIf(!hasFfi)(`ffi socket${ffiReason}`, () => {
  it('can do both, and is had by name', async () => {
    const socket = await bindUdpSocket('ffi', { address: '127.0.0.1' })
    expect(socket).toBeInstanceOf(FfiSocket)
    expect(socket.features).toEqual({ ecn: true, segmentation: true })
    await socket.close()
  })

  it('reads and sets the marks of either IP version on a dual-stack socket', async () => {
    const both = await FfiSocket.bind({ address: '::' })
    const reader = new Reader(both)
    const four = await FfiSocket.bind({ address: '127.0.0.1' })
    const six = await FfiSocket.bind({ address: '::1' })
    const readers = [new Reader(four), new Reader(six)] as const
    const at = (address: string, family: 'IPv4' | 'IPv6') => ({ localAddress: { address, port: both.localAddress.port, family } }) as FfiSocket
    for (const ecn of [2, 3, 0, 1]) {
      queue(four, 'four', at('127.0.0.1', 'IPv4'), 1200, ecn)
      queue(six, 'six', at('::1', 'IPv6'), 1200, ecn)
    }
    four.flush()
    six.flush()
    await reader.until(() => reader.datagrams.length === 8)
    const marksFrom = (host: string) => reader.datagrams.filter(({ path }) => path.remote.startsWith(`[${host}]`)).map(({ ecn }) => ecn)
    expect(marksFrom('::ffff:127.0.0.1')).toEqual([2, 3, 0, 1])
    expect(marksFrom('::1')).toEqual([2, 3, 0, 1])
    for (const ecn of [2, 3, 0]) {
      queue(both, 'back', four, 1200, ecn)
      queue(both, 'back', six, 1200, ecn)
    }
    both.flush()
    for (const back of readers) {
      await back.until(() => back.datagrams.length === 3)
      expect(back.datagrams.map(({ ecn }) => ecn)).toEqual([2, 3, 0])
    }
    for (const socket of [both, four, six]) await socket.close()
  })

  it('understands node:dgram and is understood', async () => {
    const theirs = await DgramSocket.bind({ address: '127.0.0.1' })
    const ours = await FfiSocket.bind({ address: '127.0.0.1' })
    const [there, here] = [new Reader(theirs), new Reader(ours)]
    for (let i = 0; i < 100; i++) queue(ours, `${1000 + i}`, theirs, 1200)
    ours.flush()
    await there.until(() => there.datagrams.length === 100)
    expect(there.sizes.every((size) => size === 1200)).toBe(true)
    send(theirs, 'hello', ours)
    await here.until(() => here.datagrams.length === 1)
    expect(here.datagrams[0]!.path.remote).toBe(`127.0.0.1:${theirs.localAddress.port}`)
    await ours.close()
    await theirs.close()
  })

  it('says which port is taken, which address is not here', async () => {
    const first = await FfiSocket.bind({ address: '127.0.0.1' })
    const { port } = first.localAddress
    await expect(FfiSocket.bind({ address: '127.0.0.1', port })).rejects.toMatchObject({ code: 'QUIC_PORT_IN_USE' })
    await first.close()
    const again = await FfiSocket.bind({ address: '127.0.0.1', port })
    expect(again.localAddress).toEqual({ address: '127.0.0.1', port, family: 'IPv4' })
    await again.close()
    await expect(FfiSocket.bind({ address: '192.0.2.1' })).rejects.toMatchObject({ code: 'QUIC_ADDRESS_NOT_AVAILABLE' })
    await expect(FfiSocket.bind({ address: 'localhost' })).rejects.toMatchObject({ code: 'QUIC_SOCKET_FAILED' })
  })

  it('several share a port when all of them say so', async () => {
    const first = await FfiSocket.bind({ address: '127.0.0.1', reusePort: true })
    const second = await FfiSocket.bind({ address: '127.0.0.1', port: first.localAddress.port, reusePort: true })
    await second.close()
    await first.close()
  })

  it('a connected socket hears of closed ports, once or more, and goes on', async () => {
    const gone = await FfiSocket.bind({ address: '127.0.0.1' })
    const { address, port } = gone.localAddress
    await gone.close()
    const socket = await FfiSocket.bind({ remote: { address, port } })
    const reader = new Reader(socket)
    send(socket, 'anybody?', gone)
    await reader.until(() => reader.unreachable.length > 0)
    expect(reader.unreachable[0]).toMatchObject({ code: 'ECONNREFUSED' })
    const back = await FfiSocket.bind({ address, port })
    const there = new Reader(back)
    send(socket, 'now?', back)
    await there.until(() => there.datagrams.length === 1)
    send(back, 'yes', socket)
    await reader.until(() => reader.datagrams.length === 1)
    await back.close()
    await socket.close()
  })

  it('is told when the system refuses a size', async () => {
    const receiver = await FfiSocket.bind({ address: '127.0.0.1' })
    const socket = await FfiSocket.bind({ address: '127.0.0.1' })
    const { address, port } = receiver.localAddress
    socket.acquire()
    const refused = new Promise<void>((resolve) => socket.send(65_508, socket.path(address, port), 0, resolve))
    socket.flush()
    await refused
    await socket.close()
    await receiver.close()
  })

  it('has nothing left behind when it is closed', async () => {
    const before = watchedDescriptors()
    const sockets = await Promise.all(Array.from({ length: 50 }, () => FfiSocket.bind({ address: '127.0.0.1' })))
    expect(sockets.map((socket) => new Reader(socket).datagrams.length)).toEqual(sockets.map(() => 0))
    expect(watchedDescriptors()).toBe(before + 50)
    await Promise.all(sockets.map((socket) => socket.close()))
    expect(watchedDescriptors()).toBe(before)
  })

  it('does not keep the process alive when it is told so, and else does', () => {
    const open = `const { FfiSocket } = await import('${source}ffi/ffi-socket.ts'); const s = await FfiSocket.bind({ address: '127.0.0.1' });
      s.open({ onReadable() {}, onWritable() {}, onUnreachable() {}, onFailed() {} });`
    expect(run(`${open} s.unref(); console.log('end')`)).toBe('end')
    expect(run(`${open} setTimeout(() => { console.log('alive'); void s.close() }, 50).unref()`)).toBe('alive')
    expect(run(`${open} console.log('exit'); process.exit(0)`)).toBe('exit')
  })

  const canUnshare = existsSync('/usr/bin/unshare') && process.getuid?.() === 0
  const whyNot = canUnshare ? '' : ' [skipped: needs root and unshare for a network of its own]'
  it.skipIf(!canUnshare)(`never fragments: what the interface cannot carry is refused, over both IP versions${whyNot}`, () => {
    const text = `
      const { FfiSocket } = await import('${source}ffi/ffi-socket.ts')
      const said = []
      for (const address of ['127.0.0.1', '::1', '::']) {
        const socket = await FfiSocket.bind({ address })
        for (const [to, overhead] of [['127.0.0.1', 28], ['::1', 48]]) {
          if (address !== '::' && address !== to) continue
          for (const size of [1400 - overhead, 1401 - overhead]) {
            socket.acquire(); let refused = false
            socket.send(size, socket.path(to, 9), 0, () => { refused = true })
            socket.flush()
            await new Promise((resolve) => setImmediate(resolve))
            said.push(refused)
          }
        }
        await socket.close()
      }
      console.log(said.join())`
    const node = [process.execPath, '--no-warnings', '--conditions=@quicwire/source', '--input-type=module', '-e', text]
    const script = 'ip link set lo mtu 1400 && ip link set lo up && exec "$@"'
    const said = execFileSync('/usr/bin/unshare', ['-n', 'sh', '-c', script, 'sh', ...node], { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } })
    expect(said.trim()).toBe(Array.from({ length: 4 }, () => 'false,true').join())
  })
})
