// What the seeds are run with, and the runs themselves: a thousand of them, spread over files so that they run beside each other.

import { expect } from 'vitest'
import { nodeProvider } from '../../src/crypto/node/index.ts'
import { NamedGroup } from '../../src/crypto/provider.ts'
import { planSimulation, runSimulation } from '../../src/testing/index.ts'
import type { SimulationOutcome, SimulationScenario, SimulationSetup } from '../../src/testing/index.ts'
import { createDevCertificate } from '../../src/tls/certificates/development.ts'
import { providerUnderTest as provider } from '../crypto/provider-under-test.ts'

const certificate = createDevCertificate(provider, { names: ['sim.test'], unixTimeMs: Date.UTC(2026, 0, 1) })

export const setup: SimulationSetup = {
  provider,
  clientTls: { alpn: ['sim'], serverName: 'sim.test', groups: [NamedGroup.x25519], verify: { mode: 'insecure' } },
  serverTls: { alpn: ['sim'], certificates: [{ chain: [certificate.certificate], key: provider.importPrivateKey(certificate.privateKey) }] },
}

/** The portable provider is some thirty times slower: it gets a sample. */
const SHARE = provider === nodeProvider ? 1 : 0.04

/** Runs `count` seeds from `from`; whatever fails throws a SimulationFailure with its seed. */
export function runSeeds(from: number, count: number, scenario?: SimulationScenario): SimulationOutcome[] {
  const outcomes: SimulationOutcome[] = []
  const end = from + Math.ceil(count * SHARE)
  for (let seed = from; seed < end; seed += 1) outcomes.push(runSimulation(planSimulation(seed, scenario), setup))
  return outcomes
}

/** A path that is bad at times is no reason for giving up: QUIC gets through all of these. */
export function expectComplete(outcomes: readonly SimulationOutcome[]): void {
  expect(outcomes.filter((outcome) => outcome.result !== 'complete')).toEqual([])
}
