// The floor: seal with node:crypto and send with node:dgram, nothing else. What one core can push out at a datagram size
// when the protocol costs nothing.

import { createCipheriv, randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import type { AddressInfo } from 'node:net'
import { answer } from './child.ts'
import { megabytesPerSecond } from './work.ts'

const datagramSize = Number(process.argv[2] ?? 1200)
const FLOOR_BYTES = 100 * 1024 * 1024
const IN_FLIGHT = 64

async function push(): Promise<number> {
  const sink = createSocket('udp4')
  await new Promise<void>((resolve) => void sink.bind(0, '127.0.0.1', resolve))
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.connect((sink.address() as AddressInfo).port, '127.0.0.1', resolve))
  const key = randomBytes(16)
  const nonce = randomBytes(12)
  const header = randomBytes(13)
  const payload = randomBytes(datagramSize - 29)
  const slots = Array.from({ length: IN_FLIGHT }, () => Buffer.allocUnsafeSlow(datagramSize))
  const begin = performance.now()
  let sent = 0
  while (sent < FLOOR_BYTES) {
    let waiting = IN_FLIGHT
    await new Promise<void>((resolve) => {
      const done = (): void => {
        waiting -= 1
        if (waiting === 0) resolve()
      }
      for (const slot of slots) {
        const cipher = createCipheriv('aes-128-gcm', key, nonce)
        cipher.setAAD(header)
        slot.set(header)
        slot.set(cipher.update(payload), 13)
        cipher.final()
        slot.set(cipher.getAuthTag(), datagramSize - 16)
        socket.send(slot, done)
        sent += datagramSize
      }
    })
  }
  const milliseconds = performance.now() - begin
  socket.close()
  sink.close()
  return megabytesPerSecond(sent, milliseconds)
}

answer(() => push())
