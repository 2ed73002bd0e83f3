// The one place where time comes from. Monotonic milliseconds with a fraction; only differences mean anything.

export interface Clock {
  now(): number
}

export const monotonicClock: Clock = {
  now: () => performance.now(),
}
