/** Where random bytes come from. Cryptographically secure outside of tests; seeded in tests. */
export interface RandomSource {
  /** Overwrites all of `destination` with random bytes. */
  fill(destination: Uint8Array): void
}
