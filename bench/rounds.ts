// Two ways to do the same work, in turns in one process, so that what else the machine does weighs on both.

const ROUNDS = 7

export interface Compared {
  /** Medians of the rounds, in the unit of what was measured. */
  readonly ours: number
  readonly reference: number
  /** Median of the rounds' ratios and differences. */
  readonly ratio: number
  readonly difference: number
}

type Measure = () => Promise<number>

export async function beside(ours: Measure, reference: Measure): Promise<Compared> {
  await ours()
  await reference()
  const rounds: { ours: number; theirs: number }[] = []
  for (let i = 0; i < ROUNDS; i += 1) rounds.push({ ours: await ours(), theirs: await reference() })
  return {
    ours: median(rounds.map((round) => round.ours)),
    reference: median(rounds.map((round) => round.theirs)),
    ratio: median(rounds.map((round) => round.ours / round.theirs)),
    difference: median(rounds.map((round) => round.ours - round.theirs)),
  }
}

/** Microseconds of processor time of `work`, divided among `count` pieces. */
export async function microsecondsEach(count: number, work: () => Promise<void> | void): Promise<number> {
  const since = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(since)
  return (user + system) / count
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!
}
