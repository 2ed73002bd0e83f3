/** The states of BBR and their gains as data: draft-ietf-ccwg-bbr. */

export const BbrMode = { startup: 0, drain: 1, probeBwDown: 2, probeBwCruise: 3, probeBwRefill: 4, probeBwUp: 5, probeRtt: 6 } as const
export type BbrMode = (typeof BbrMode)[keyof typeof BbrMode]

/** As traces show them; Startup is what other controllers call slow start. */
export const MODE_NAME: readonly string[] = [
  'slow_start',
  'drain',
  'probe_bw_down',
  'probe_bw_cruise',
  'probe_bw_refill',
  'probe_bw_up',
  'probe_rtt',
]

/** Sending rate as a multiple of the estimated bandwidth. Startup: 4 ln 2, the least that doubles the rate each round. */
export const PACING_GAIN: readonly number[] = [4 * Math.LN2, 0.5, 0.9, 1, 1, 1.25, 1]

/** BBR.PacingMarginPercent: paces a little below, so that no queue grows from an estimate that is a little high. */
export const PACING_MARGIN = 0.99

/** Window as a multiple of the estimated bandwidth-delay product. */
export const WINDOW_GAIN: readonly number[] = [2, 2, 2, 2, 2, 2.25, 0.5]

export function isProbeBw(mode: BbrMode): boolean {
  return mode >= BbrMode.probeBwDown && mode <= BbrMode.probeBwUp
}

/** Sending faster than the estimate on purpose, or about to: losses are expected and bound nothing in the short term. */
export function isProbingBandwidth(mode: BbrMode): boolean {
  return mode === BbrMode.startup || mode === BbrMode.probeBwRefill || mode === BbrMode.probeBwUp
}
