import type { Header, Priority } from './message.ts'
import { headerValue } from './message.ts'

/** The fields with a `priority` field added, unless they have one or there is nothing to say. Throws RangeError. */
export function withPriority(headers: readonly Header[], priority: Priority | undefined): readonly Header[] {
  if (priority === undefined || headerValue(headers, 'priority') !== null) return headers
  const { incremental, urgency } = priority
  const members: string[] = []
  if (urgency !== undefined) {
    checkUrgency(urgency)
    members.push(`u=${urgency}`)
  }
  // RFC 9218 §8: what a response leaves out stays as the client said, so a default has to be written out.
  if (incremental !== undefined) members.push(incremental ? 'i' : 'i=?0')
  return members.length === 0 ? headers : [...headers, ['priority', members.join(', ')]]
}

/** A priority with nothing left out (RFC 9218 §4.1, §4.2). Throws RangeError. */
export function wholePriority({ urgency = 3, incremental = false }: Priority): { readonly urgency: number; readonly incremental: boolean } {
  checkUrgency(urgency)
  return { urgency, incremental }
}

function checkUrgency(urgency: number): void {
  if (!Number.isInteger(urgency) || urgency < 0 || urgency > 7) throw new RangeError(`urgency ${urgency} is not one of 0 to 7 (RFC 9218 §4.1)`)
}
