import { parseDictionary } from '../headers/structured-fields.ts'

/** Priority parameters (RFC 9218 §4): urgency 0..7, lower goes first, and incremental. */

export const DEFAULT_URGENCY = 3

/** Scratch of `parsePriority`. */
export class PriorityParameters {
  /** -1: the value says nothing of it. */
  urgency: number
  /** -1: the value says nothing of it; 0 or 1. */
  incremental: number

  constructor() {
    this.urgency = -1
    this.incremental = -1
  }
}

/** Reads a Priority Field Value. What does not parse says nothing; unknown, out-of-range and ill-typed parameters are ignored (§4). */
export function parsePriority(value: string, out: PriorityParameters): void {
  out.urgency = -1
  out.incremental = -1
  const members = parseDictionary(value)
  if (members === null) return
  const u = members.get('u')
  if (u !== undefined && u.kind === 'integer' && u.value >= 0 && u.value <= 7) out.urgency = u.value
  const i = members.get('i')
  if (i !== undefined && i.kind === 'boolean') out.incremental = i.value ? 1 : 0
}

/** A Priority Field Value (RFC 9218 §4); default parameters are left out. */
export function priorityFieldValue(urgency: number, incremental: boolean): string {
  const u = urgency === DEFAULT_URGENCY ? '' : `u=${urgency}`
  return incremental ? (u === '' ? 'i' : `${u}, i`) : u
}
