// What the ends of client and server say about a run, before anything is looked at: the runner's rule.

import type { Verdict } from '../cases/case.ts'
import type { Role } from './endpoint.ts'

export const UNSUPPORTED = 127

/** How a side ended: its exit code; the signal that ended it; null: it had not ended when the time was up. */
export type End = number | NodeJS.Signals | null

/** 'check': the files and the capture decide. */
export function verdictFromEnds(ends: Readonly<Record<Role, End>>, timeoutMs: number): Verdict | 'check' {
  // A server that does not know the case is told apart before its client has a chance.
  if (ends.server === UNSUPPORTED) return { kind: 'unsupported', by: 'server' }
  if (ends.client === UNSUPPORTED) return { kind: 'unsupported', by: 'client' }
  if (ends.client === null) return { kind: 'failed', reason: `the client was not done after ${timeoutMs / 1000} s` }
  if (ends.client === 0 || ends.server === 0) return 'check'
  return { kind: 'failed', reason: `the client ended with ${ends.client}, the server with ${ends.server ?? 'a kill'}` }
}

/** Of several repetitions: as the worst of them. A measurement is their mean. */
export function verdictOfRepetitions(verdicts: readonly Verdict[]): Verdict {
  const worst = ['failed', 'unsupported', 'not-verified'].map((kind) => verdicts.find((verdict) => verdict.kind === kind)).find((found) => found !== undefined)
  if (worst !== undefined) return worst
  const passed = verdicts.filter((verdict) => verdict.kind === 'passed')
  const figures = passed.flatMap(({ kilobitsPerSecond }) => (kilobitsPerSecond === undefined ? [] : [kilobitsPerSecond]))
  if (figures.length === 0) return passed[0] ?? { kind: 'not-verified', reason: 'it was not run' }
  const mean = figures.reduce((sum, figure) => sum + figure, 0) / figures.length
  const deviation = Math.sqrt(figures.reduce((sum, figure) => sum + (figure - mean) ** 2, 0) / figures.length)
  return { kind: 'passed', kilobitsPerSecond: Math.round(mean), remark: figures.length === 1 ? 'one run' : `± ${Math.round(deviation)} kbit/s over ${figures.length}` }
}
