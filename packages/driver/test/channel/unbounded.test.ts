import { describe, expect, it } from 'vitest'
import { unbounded } from '../../src/channel/unbounded.ts'
import { resolveHttp3Settings } from '../../src/settings/http3-settings.ts'
import { FLOW_CAPACITY, STREAM_CAPACITY, defaultStreamCapacity } from '../../src/settings/stream-capacity.ts'

interface Item {
  n: number
}

describe('unbounded channel', () => {
  it('never waits and keeps order', () => {
    const { sender, receiver } = unbounded<Item>()
    for (let n = 0; n < 1000; n++) expect(sender.send({ n })).toBe(true)
    for (let n = 0; n < 1000; n++) expect(receiver.tryRecv()).toEqual({ n })
    expect(receiver.tryRecv()).toBe('empty')
  })

  it('shows the newest unread item to a producer that merges', () => {
    const { sender, receiver } = unbounded<Item>()
    expect(sender.last()).toBe(undefined)
    sender.send({ n: 1 })
    sender.send({ n: 2 })
    sender.last()!.n += 10
    receiver.tryRecv()
    expect(receiver.tryRecv()).toEqual({ n: 12 })
    expect(sender.last()).toBe(undefined)
  })

  it('tells the sender that the receiver has gone', () => {
    const { sender, receiver } = unbounded<Item>()
    const tokens: number[] = []
    sender.setWaker({ wake: (token) => tokens.push(token) }, 3)
    receiver.close()
    receiver.close()
    expect(tokens).toEqual([3])
    expect(sender.send({ n: 1 })).toBe(false)
    expect(sender.isClosed).toBe(true)
  })

  it('ends for the receiver when every clone is closed', async () => {
    const { sender, receiver } = unbounded<Item>()
    const twin = sender.clone()
    sender.close()
    twin.send({ n: 1 })
    twin.close()
    expect(await receiver.recv()).toEqual({ n: 1 })
    expect(await receiver.recv()).toBe(null)
    expect(receiver.tryRecv()).toBe('disconnected')
  })
})

describe('stream capacity', () => {
  it('is the model’s: 16 frames of a stream, 2048 datagrams of a flow', () => {
    expect([STREAM_CAPACITY, FLOW_CAPACITY]).toEqual([16, 2048])
    expect(resolveHttp3Settings({})).toMatchObject({ streamCapacity: defaultStreamCapacity(), flowCapacity: 2048 })
  })

  it('comes from the environment when a sensible number is there', () => {
    expect(defaultStreamCapacity({})).toBe(STREAM_CAPACITY)
    expect(defaultStreamCapacity({ QUICWIRE_STREAM_CAPACITY: '1' })).toBe(1)
    expect(defaultStreamCapacity({ QUICWIRE_STREAM_CAPACITY: '0' })).toBe(STREAM_CAPACITY)
    expect(defaultStreamCapacity({ QUICWIRE_STREAM_CAPACITY: 'many' })).toBe(STREAM_CAPACITY)
  })
})
