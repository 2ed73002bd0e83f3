import { DEFAULT_URGENCY, parsePriority } from './priority.ts'
import type { PriorityParameters } from './priority.ts'

/**
 * The priority of one request: what the client says, in its `priority` field and then by PRIORITY_UPDATE (RFC 9218 §7: an update overrides
 * the field, and says everything anew), and what our side prefers over it (§8: parameter by parameter).
 */
export class RequestPriority {
  /** The Priority Field Value of the last PRIORITY_UPDATE; null without one. */
  update: string | null
  private clientUrgency: number
  private clientIncremental: boolean
  /** -1: no preference of ours. */
  private ownUrgency: number
  private ownIncremental: number

  constructor() {
    this.update = null
    this.clientUrgency = DEFAULT_URGENCY
    this.clientIncremental = false
    this.ownUrgency = -1
    this.ownIncremental = -1
  }

  get urgency(): number {
    return this.ownUrgency === -1 ? this.clientUrgency : this.ownUrgency
  }

  get incremental(): boolean {
    return this.ownIncremental === -1 ? this.clientIncremental : this.ownIncremental === 1
  }

  /** The `priority` field of the request. True when it counts: an update is more recent, whenever it came. */
  onRequestField(value: string, scratch: PriorityParameters): boolean {
    if (this.update !== null) return false
    this.clientSays(value, scratch)
    return true
  }

  onUpdate(value: string, scratch: PriorityParameters): void {
    this.update = value
    this.clientSays(value, scratch)
  }

  /** Our preference: the `priority` field of a response, or a call of the application. Members that are -1 leave it as it is. */
  prefer(parameters: PriorityParameters): void {
    if (parameters.urgency !== -1) this.ownUrgency = parameters.urgency
    if (parameters.incremental !== -1) this.ownIncremental = parameters.incremental
  }

  // RFC 9218 §4: a parameter that is left out has its default value.
  private clientSays(value: string, scratch: PriorityParameters): void {
    parsePriority(value, scratch)
    this.clientUrgency = scratch.urgency === -1 ? DEFAULT_URGENCY : scratch.urgency
    this.clientIncremental = scratch.incremental === 1
  }
}
