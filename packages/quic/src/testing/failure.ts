// The bug report of a simulation: what went wrong, the seed that repeats it, the scenario, the last events.

export class SimulationFailure extends Error {
  override readonly name: string = 'SimulationFailure'
  readonly code: string = 'QUICWIRE_SIMULATION_FAILED'
  readonly seed: number

  constructor(message: string, seed: number, scenario: string, now: number, trace: string, cause?: unknown) {
    const report = `${message}\n  seed ${seed}, scenario '${scenario}', virtual time ${now.toFixed(3)} ms; last events:\n${trace}`
    super(report, cause === undefined ? undefined : { cause })
    this.seed = seed
  }
}
