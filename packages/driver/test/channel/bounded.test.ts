import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bounded } from '../../src/channel/bounded.ts'
import type { Waker } from '../../src/channel/waker.ts'

interface Item {
  readonly n: number
}

const item = (n: number): Item => ({ n })

class CountingWaker implements Waker {
  tokens: number[] = []
  wake(token: number): void {
    this.tokens.push(token)
  }
}

/** 'pending' unless the promise settles within the microtasks queued now. */
async function state<T>(promise: Promise<T>): Promise<T | 'pending'> {
  let result: T | 'pending' = 'pending'
  void (async () => {
    result = await promise
  })()
  for (let i = 0; i < 10; i++) await Promise.resolve()
  return result
}

describe('bounded channel', () => {
  it('refuses a capacity that could never pass an item', () => {
    expect(() => bounded(0)).toThrow(RangeError)
    expect(() => bounded(1.5)).toThrow(RangeError)
  })

  it('is full at its capacity, reserved slots included', () => {
    const { sender, receiver } = bounded<Item>(2)
    expect(sender.tryReserve()).toBe('reserved')
    expect(sender.trySend(item(1))).toBe('sent')
    expect(sender.trySend(item(2))).toBe('full')
    expect(sender.tryReserve()).toBe('full')
    sender.release()
    expect(sender.trySend(item(2))).toBe('sent')
    expect(receiver.tryRecv()).toEqual(item(1))
    expect(receiver.tryRecv()).toEqual(item(2))
    expect(receiver.tryRecv()).toBe('empty')
  })

  it('commits into a reserved slot', () => {
    const { sender, receiver } = bounded<Item>(1)
    expect(sender.tryReserve()).toBe('reserved')
    expect(sender.commit(item(7))).toBe(true)
    expect(receiver.tryRecv()).toEqual(item(7))
    expect(() => sender.commit(item(8))).toThrow(RangeError)
    expect(() => sender.release()).toThrow(RangeError)
  })

  it('send waits for room and keeps the order of concurrent sends', async () => {
    const { sender, receiver } = bounded<Item>(1)
    expect(await sender.send(item(1))).toBe(true)
    const second = sender.send(item(2))
    const third = sender.send(item(3))
    expect(await state(second)).toBe('pending')
    expect(receiver.tryRecv()).toEqual(item(1))
    // The freed slot already belongs to item 2: a late sender cannot overtake.
    expect(sender.trySend(item(9))).toBe('full')
    expect(receiver.tryRecv()).toEqual(item(2))
    expect(receiver.tryRecv()).toEqual(item(3))
    expect(await second).toBe(true)
    expect(await third).toBe(true)
  })

  it('reserve waits and can be cancelled without keeping the slot', async () => {
    const { sender, receiver } = bounded<Item>(1)
    sender.trySend(item(1))
    const abort = new AbortController()
    const cancelled = sender.reserve(abort.signal)
    const kept = sender.reserve()
    abort.abort(new Error('changed my mind'))
    await expect(cancelled).rejects.toThrow('changed my mind')
    expect(receiver.tryRecv()).toEqual(item(1))
    expect(await kept).toBe(true)
    sender.commit(item(2))
    expect(receiver.tryRecv()).toEqual(item(2))
    expect(sender.trySend(item(3))).toBe('sent')
  })

  it('an aborted send sends nothing', async () => {
    const { sender, receiver } = bounded<Item>(1)
    sender.trySend(item(1))
    const abort = new AbortController()
    const sending = sender.send(item(2), abort.signal)
    abort.abort(new Error('no'))
    await expect(sending).rejects.toThrow('no')
    receiver.tryRecv()
    expect(receiver.tryRecv()).toBe('empty')
    await expect(sender.send(item(3), abort.signal)).rejects.toThrow('no')
    expect(receiver.tryRecv()).toBe('empty')
  })

  it('an aborted recv loses no item', async () => {
    const { sender, receiver } = bounded<Item>(1)
    const abort = new AbortController()
    const first = receiver.recv(abort.signal)
    const second = receiver.recv()
    abort.abort(new Error('no'))
    await expect(first).rejects.toThrow('no')
    sender.trySend(item(1))
    expect(await second).toEqual(item(1))
  })

  it('recv calls are served in order', async () => {
    const { sender, receiver } = bounded<Item>(4)
    const waiting = [receiver.recv(), receiver.recv()]
    sender.trySend(item(1))
    sender.trySend(item(2))
    expect(await Promise.all(waiting)).toEqual([item(1), item(2)])
  })

  it('the receiver drains what is buffered after all senders closed', async () => {
    const { sender, receiver } = bounded<Item>(4)
    const twin = sender.clone()
    sender.trySend(item(1))
    sender.close()
    expect(sender.trySend(item(2))).toBe('closed')
    expect(twin.trySend(item(3))).toBe('sent')
    expect(receiver.tryRecv()).toEqual(item(1))
    twin.close()
    twin.close()
    expect(receiver.isClosed).toBe(false)
    expect(receiver.tryRecv()).toEqual(item(3))
    expect(receiver.tryRecv()).toBe('disconnected')
    expect(receiver.isClosed).toBe(true)
    expect(await receiver.recv()).toBe(null)
  })

  it('the last sender going ends a waiting recv', async () => {
    const { sender, receiver } = bounded<Item>(1)
    const waiting = receiver.recv()
    sender.close()
    expect(await waiting).toBe(null)
  })

  it('closing the receiver: senders see closed, both receive forms agree', async () => {
    const { sender, receiver } = bounded<Item>(1)
    sender.trySend(item(1))
    const sending = sender.send(item(2))
    const reserving = sender.reserve()
    receiver.close()
    expect(await sending).toBe(false)
    expect(await reserving).toBe(false)
    expect(sender.isClosed).toBe(true)
    expect(sender.trySend(item(3))).toBe('closed')
    expect(sender.tryReserve()).toBe('closed')
    expect(await sender.send(item(3))).toBe(false)
    expect(receiver.tryRecv()).toBe('disconnected')
    expect(await receiver.recv()).toBe(null)
  })

  it('a slot reserved before the receiver closed says so on commit', () => {
    const { sender, receiver } = bounded<Item>(1)
    sender.tryReserve()
    receiver.close()
    expect(sender.commit(item(1))).toBe(false)
  })

  it('closing a handle gives its slots back and ends only its own waiting calls', async () => {
    const { sender, receiver } = bounded<Item>(1)
    const twin = sender.clone()
    sender.tryReserve()
    const own = sender.send(item(1))
    const other = twin.send(item(2))
    sender.close()
    expect(await own).toBe(false)
    expect(await other).toBe(true)
    expect(receiver.tryRecv()).toEqual(item(2))
  })

  it('a clone of a closed handle is closed', () => {
    const { sender } = bounded<Item>(1)
    sender.close()
    expect(sender.clone().trySend(item(1))).toBe('closed')
  })

  it('is an async iterable; leaving the loop closes the receiver', async () => {
    const { sender, receiver } = bounded<Item>(4)
    for (let i = 0; i < 4; i++) sender.trySend(item(i))
    const seen: number[] = []
    for await (const value of receiver) {
      seen.push(value.n)
      if (value.n === 2) break
    }
    expect(seen).toEqual([0, 1, 2])
    expect(sender.isClosed).toBe(true)
  })

  it('wakes the sending waker once per full answer, and on close', () => {
    const { sender, receiver } = bounded<Item>(1)
    const waker = new CountingWaker()
    sender.setWaker(waker, 5)
    sender.trySend(item(1))
    receiver.tryRecv()
    expect(waker.tokens).toEqual([])
    sender.trySend(item(2))
    expect(sender.tryReserve()).toBe('full')
    receiver.tryRecv()
    expect(waker.tokens).toEqual([5])
    sender.trySend(item(3))
    receiver.tryRecv()
    expect(waker.tokens).toEqual([5])
    receiver.close()
    expect(waker.tokens).toEqual([5, 5])
  })

  it('wakes the receiving waker once per empty answer, and at the end', () => {
    const { sender, receiver } = bounded<Item>(4)
    const waker = new CountingWaker()
    receiver.setWaker(waker, 9)
    sender.trySend(item(1))
    sender.trySend(item(2))
    expect(waker.tokens).toEqual([9])
    receiver.tryRecv()
    receiver.tryRecv()
    sender.trySend(item(3))
    expect(waker.tokens).toEqual([9])
    receiver.tryRecv()
    expect(receiver.tryRecv()).toBe('empty')
    sender.trySend(item(4))
    expect(waker.tokens).toEqual([9, 9])
    sender.close()
    expect(waker.tokens).toEqual([9, 9, 9])
  })

  it('a waker set late is told about what is already there', () => {
    const { sender, receiver } = bounded<Item>(4)
    sender.trySend(item(1))
    const waker = new CountingWaker()
    receiver.setWaker(waker, 1)
    expect(waker.tokens).toEqual([1])
  })

  it('passes every item in order whatever the interleaving (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.constantFrom('send', 'trySend', 'reserve', 'recv', 'tryRecv', 'turn'), { maxLength: 60 }),
        async (capacity, script) => {
          const { sender, receiver } = bounded<Item>(capacity)
          const received: number[] = []
          const pending: Promise<unknown>[] = []
          let next = 0
          for (const step of script) {
            if (step === 'send') pending.push(sender.send(item(next++)))
            else if (step === 'trySend') {
              if (sender.trySend(item(next)) === 'sent') next++
            } else if (step === 'reserve') {
              if (sender.tryReserve() === 'reserved') sender.commit(item(next++))
            } else if (step === 'recv') {
              pending.push(receiver.recv().then((value) => value !== null && received.push(value.n)))
            } else if (step === 'tryRecv') {
              const value = receiver.tryRecv()
              // Resolved recv() calls push in microtasks, so let them go first.
              if (typeof value !== 'string') pending.push(Promise.resolve().then(() => received.push(value.n)))
            } else await Promise.resolve()
            expect(receiver.length).toBeLessThanOrEqual(capacity)
          }
          const drain = (async () => {
            for (let value = await receiver.recv(); value !== null; value = await receiver.recv()) received.push(value.n)
          })()
          for (let i = 0; i < next + 4; i++) await Promise.resolve()
          sender.close()
          await Promise.all([...pending, drain])
          expect(received.slice().sort((a, b) => a - b)).toEqual(received)
          expect(new Set(received).size).toBe(received.length)
        },
      ),
      { numRuns: 300 },
    )
  })
})
