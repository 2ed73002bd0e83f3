import { describe, expect, it } from 'vitest'
import { ConnectionRouter } from '../../src/endpoint/connection-router.ts'

const ID = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
const OTHER = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 9)

describe('connection router (RFC 9000 §5.2)', () => {
  it('finds by the bytes of the datagram, again and in turn', () => {
    const router = new ConnectionRouter<string>()
    router.add(ID, 'one')
    router.add(OTHER, 'two')
    const datagram = Uint8Array.of(0x40, ...ID)
    for (let i = 0; i < 3; i += 1) {
      expect(router.find(datagram, 1, 8)).toBe('one')
      expect(router.find(OTHER, 0, 8)).toBe('two')
      expect(router.find(OTHER, 0, 7)).toBe(null)
    }
  })

  it('keeps no memory of an ID that was removed, taken over or forgotten with its connection', () => {
    const router = new ConnectionRouter<string>()
    router.add(ID, 'one')
    expect(router.find(ID, 0, 8)).toBe('one')
    router.remove(ID, 'one')
    expect(router.find(ID, 0, 8)).toBe(null)
    router.add(ID, 'one')
    expect(router.find(ID, 0, 8)).toBe('one')
    router.add(ID, 'two')
    expect(router.find(ID, 0, 8)).toBe('two')
    router.forget('two')
    expect(router.find(ID, 0, 8)).toBe(null)
  })

  it('does not look at the datagram again that it found last', () => {
    const router = new ConnectionRouter<string>()
    router.add(ID, 'one')
    const datagram = ID.slice()
    expect(router.find(datagram, 0, 8)).toBe('one')
    datagram.fill(0)
    expect(router.find(datagram, 0, 8)).toBe(null)
    expect(router.find(ID, 0, 8)).toBe('one')
  })
})
