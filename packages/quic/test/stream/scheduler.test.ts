import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ScheduleNode, StreamSchedule } from '../../src/stream/scheduler.ts'
import { seeded } from '../delivery/packet.ts'

interface Twin {
  node: ScheduleNode<number>
  urgency: number
  incremental: boolean
  turn: number
}

/** The plain twin: a list searched from end to end. */
function first(twins: Twin[]): Twin {
  let best = twins[0]!
  for (const twin of twins) {
    const a = [twin.urgency, twin.incremental ? 1 : 0, twin.incremental ? twin.turn : twin.node.streamId]
    const b = [best.urgency, best.incremental ? 1 : 0, best.incremental ? best.turn : best.node.streamId]
    for (let i = 0; i < 3; i++) {
      if (a[i]! < b[i]!) best = twin
      if (a[i] !== b[i]) break
    }
  }
  return best
}

describe('scheduler (RFC 9218 §10)', () => {
  it('agrees with a plain search through random operations', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const random = seeded(seed)
        const schedule = new StreamSchedule<number>()
        const scheduled: Twin[] = []
        const idle: Twin[] = []
        let turn = 0
        for (let i = 0; i < 20; i++) {
          const twin = { node: new ScheduleNode(i, i * 4), urgency: 127, incremental: true, turn: 0 }
          idle.push(twin)
        }
        for (let step = 0; step < 300; step++) {
          const action = random(4)
          if (action === 0 && idle.length > 0) {
            const twin = idle.splice(random(idle.length), 1)[0]!
            twin.turn = ++turn
            schedule.add(twin.node)
            scheduled.push(twin)
          } else if (action === 1 && scheduled.length > 0) {
            const twin = scheduled.splice(random(scheduled.length), 1)[0]!
            schedule.remove(twin.node)
            idle.push(twin)
          } else if (action === 2) {
            const all = random(2) === 0 || scheduled.length === 0 ? idle : scheduled
            if (all.length === 0) continue
            const twin = all[random(all.length)]!
            twin.urgency = random(4)
            twin.incremental = random(2) === 0
            twin.turn = ++turn
            schedule.setPriority(twin.node, twin.urgency, twin.incremental)
          } else if (scheduled.length > 0) {
            const twin = first(scheduled)
            if (schedule.peek() !== twin.node) expect(schedule.peek()!.streamId).toBe(twin.node.streamId)
            twin.turn = ++turn
            schedule.rotate(twin.node)
          }
          expect(schedule.size).toBe(scheduled.length)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('takes turns among incremental streams, in full among others', () => {
    const schedule = new StreamSchedule<string>()
    const nodes = ['a', 'b', 'c', 'd'].map((name, index) => new ScheduleNode(name, index * 4))
    for (const node of nodes) schedule.setPriority(node, 3, node.owner < 'c')
    for (const node of nodes) schedule.add(node)
    const order: string[] = []
    for (let i = 0; i < 8; i++) {
      const node = schedule.peek()!
      order.push(node.owner)
      schedule.rotate(node)
      if (i === 1 || i === 3) schedule.remove(node)
    }
    expect(order.join('')).toBe('ccddabab')
  })
})
