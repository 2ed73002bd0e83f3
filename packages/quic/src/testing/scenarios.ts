// Link conditions under names that tests and reports share.

import type { LinkConditions } from './link.ts'
import { blackhole, burstLoss, randomLoss } from './loss-model.ts'

const MEGABIT = 1_000_000

export type ScenarioName = 'ideal' | 'interop' | 'longRoundTrip' | 'lossy' | 'terrible' | 'bursty' | 'mobile' | 'corrupting' | 'interrupted' | 'fast'

export const scenarios: Readonly<Record<ScenarioName, Partial<LinkConditions>>> = {
  /** No loss, no line: only delay. */
  ideal: { delay: 5 },
  /** The QUIC interop runner's default: 10 Mbit/s, 30 ms round trip, 25 datagrams of queue. */
  interop: { delay: 15, bandwidth: 10 * MEGABIT, queue: 25 },
  longRoundTrip: { delay: 750, bandwidth: 10 * MEGABIT, queue: 25 },
  lossy: { delay: 15, bandwidth: 10 * MEGABIT, queue: 25, loss: randomLoss(0.02, 3) },
  /** Three of ten datagrams vanish, as in the interop runner's handshakeloss. */
  terrible: { delay: 15, bandwidth: 10 * MEGABIT, queue: 25, loss: randomLoss(0.3, 3) },
  bursty: { delay: 20, bandwidth: 20 * MEGABIT, queue: 100, loss: burstLoss(0.005, 0.25) },
  /** Radio: changing delay, reordering, duplicates, some loss. */
  mobile: { delay: 40, jitter: 30, bandwidth: 5 * MEGABIT, queue: 200, loss: 0.01, reorder: 0.02, reorderDelay: 40, duplicate: 0.01 },
  corrupting: { delay: 15, bandwidth: 10 * MEGABIT, queue: 25, corrupt: 0.02 },
  /** Everything vanishes for two seconds, five seconds after the default start. */
  interrupted: { delay: 15, bandwidth: 10 * MEGABIT, queue: 25, loss: blackhole(6000, 8000) },
  fast: { delay: 1, bandwidth: 1000 * MEGABIT, queue: 1000 },
}
