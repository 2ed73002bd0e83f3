// The poll-form counterpart of a promise: whoever is woken looks again. One waker may serve many sources; the token says which.

export interface Waker {
  /** Something changed for `token`. Must not run user code; it only marks work and schedules a turn. */
  wake(token: number): void
}
