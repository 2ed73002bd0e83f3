// The test cases and measurements of quic-interop-runner, in its order, with its thresholds.

import type { InteropCase, RunRecord, Verdict, WantedFile } from './case.ts'
import { evidenceOf } from './evidence.ts'
import { transferTime, type Fact } from './facts.ts'
import * as steps from './steps.ts'
import type { Step } from './steps.ts'
import { CaptureError } from '../capture/pcap.ts'

/** A case whose verdict a second reading of the captures can confirm. */
export interface CheckedCase extends InteropCase {
  /** What its verdict rests on. */
  readonly facts: readonly Fact[]
  /** The client's address changes under it, for one connection only. */
  readonly rebinds: boolean
}

const KB = 1024
const MB = 1024 * KB

const LINK = '--delay=15ms --bandwidth=10Mbps --queue=25'
const PLAIN = `simple-p2p ${LINK}`
const REBIND = `rebind ${LINK} --first-rebind=1s --rebind-freq=5s`

interface Definition extends Partial<Omit<CheckedCase, 'testcase' | 'files' | 'facts' | 'check'>> {
  readonly name: string
  readonly abbreviation: string
  /** Of both sides, or client and server. */
  readonly testcase?: string | readonly [client: string, server: string]
  readonly files: readonly WantedFile[]
  readonly steps: readonly Step[]
}

function define({ testcase, steps, ...rest }: Definition): CheckedCase {
  const [client, server] = typeof testcase === 'string' || testcase === undefined ? [testcase ?? rest.name, testcase ?? rest.name] : testcase
  return {
    kind: 'test',
    host: 'server4',
    scenario: PLAIN,
    timeoutMs: 60_000,
    certificateChain: 1,
    crossTraffic: false,
    repetitions: 1,
    rebinds: false,
    ...rest,
    testcase: { client, server },
    facts: [...new Set(steps.flatMap(({ facts }) => facts))],
    check: async (run) => check(steps, run, rest.kind === 'measurement' ? sizeOf(rest.files) : null),
  }
}

function sizeOf(files: readonly WantedFile[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

/** `measuredBytes`: what a measurement transfers; null for a test. */
function check(steps: readonly Step[], run: RunRecord, measuredBytes: number | null): Verdict {
  try {
    const evidence = evidenceOf(run)
    if (evidence.keyLog === null && steps.some(({ needsKeys }) => needsKeys)) return { kind: 'not-verified', reason: 'no key log with the secrets of a handshake' }
    for (const { judge } of steps) {
      const reason = judge(evidence, run)
      if (reason !== null) return { kind: 'failed', reason }
    }
    if (measuredBytes === null) return { kind: 'passed' }
    // Bits per millisecond.
    return { kind: 'passed', kilobitsPerSecond: (8 * measuredBytes) / transferTime.of(evidence) }
  } catch (error) {
    if (!(error instanceof CaptureError)) throw error
    return { kind: 'not-verified', reason: error.message }
  }
}

function files(...sizes: readonly number[]): WantedFile[] {
  return sizes.map((sizeBytes) => ({ sizeBytes }))
}

function times(count: number, file: WantedFile): WantedFile[] {
  return Array.from({ length: count }, () => file)
}

/** One handshake, version 1, the files. */
const TRANSFERRED: readonly Step[] = [steps.handshakes(1), steps.onlyVersion1, steps.filesArrive]
const SHOOK_HANDS: readonly Step[] = [steps.noRetry, ...TRANSFERRED]
const FIFTY_HANDSHAKES: readonly Step[] = [steps.handshakes(50), steps.onlyVersion1, steps.filesArrive]

function lossy(kind: 'drop' | 'corrupt', rate: number): string {
  return `${kind}-rate ${LINK} --rate_to_server=${rate} --rate_to_client=${rate} --burst_to_server=3 --burst_to_client=3`
}

/** What the runner runs, in its order: the tests, then the measurements. */
export const interopCases: readonly CheckedCase[] = [
  define({ name: 'handshake', abbreviation: 'H', files: files(KB), steps: SHOOK_HANDS }),
  define({ name: 'transfer', abbreviation: 'DC', files: files(2 * MB, 3 * MB, 5 * MB), steps: TRANSFERRED }),
  define({
    name: 'longrtt',
    abbreviation: 'LR',
    testcase: 'handshake',
    files: files(KB),
    scenario: 'simple-p2p --delay=750ms --bandwidth=10Mbps --queue=25',
    steps: [...TRANSFERRED, steps.helloIsRepeated],
  }),
  define({ name: 'chacha20', abbreviation: 'C20', files: files(3 * MB), steps: [steps.handshakes(1), steps.onlyChaCha20, steps.onlyVersion1, steps.filesArrive] }),
  define({
    name: 'multiplexing',
    abbreviation: 'M',
    testcase: 'transfer',
    files: times(1999, { sizeBytes: 32 }),
    steps: [...TRANSFERRED, steps.streamsAreLimited],
  }),
  define({ name: 'retry', abbreviation: 'S', files: files(10 * KB), steps: [...TRANSFERRED, steps.retryTokenIsUsed] }),
  define({
    name: 'resumption',
    abbreviation: 'R',
    files: files(5 * KB, 10 * KB),
    steps: [steps.handshakes(2), steps.secondIsResumed, steps.onlyVersion1, steps.filesArrive],
  }),
  define({
    name: 'zerortt',
    abbreviation: 'Z',
    files: times(40, { sizeBytes: 32, nameLength: 250 }),
    steps: [steps.handshakes(2), steps.onlyVersion1, steps.filesArrive, steps.requestsAreEarly],
  }),
  define({ name: 'http3', abbreviation: '3', files: files(5 * KB, 10 * KB, 500 * KB), steps: TRANSFERRED }),
  define({ name: 'blackhole', abbreviation: 'B', testcase: 'transfer', files: files(10 * MB), scenario: `blackhole ${LINK} --on=5s --off=2s`, steps: TRANSFERRED }),
  define({ name: 'keyupdate', abbreviation: 'U', testcase: ['keyupdate', 'transfer'], files: files(3 * MB), steps: [...TRANSFERRED, steps.keysAreUpdated] }),
  define({ name: 'ecn', abbreviation: 'E', files: files(100 * KB), steps: [...SHOOK_HANDS, steps.ecnIsUsed] }),
  define({
    name: 'amplificationlimit',
    abbreviation: 'A',
    testcase: 'transfer',
    files: files(5 * KB),
    scenario: `droplist ${LINK} --drops_to_server=2,3,4,5,6,7`,
    certificateChain: 9,
    steps: [...TRANSFERRED, steps.amplificationIsLimited],
  }),
  define({
    name: 'handshakeloss',
    abbreviation: 'L1',
    testcase: 'multiconnect',
    files: times(50, { sizeBytes: KB }),
    scenario: lossy('drop', 30),
    timeoutMs: 300_000,
    steps: FIFTY_HANDSHAKES,
  }),
  define({ name: 'transferloss', abbreviation: 'L2', testcase: 'transfer', files: files(2 * MB), scenario: lossy('drop', 2), steps: TRANSFERRED }),
  define({
    name: 'handshakecorruption',
    abbreviation: 'C1',
    testcase: 'multiconnect',
    files: times(50, { sizeBytes: KB }),
    scenario: lossy('corrupt', 30),
    timeoutMs: 300_000,
    steps: FIFTY_HANDSHAKES,
  }),
  define({ name: 'transfercorruption', abbreviation: 'C2', testcase: 'transfer', files: files(2 * MB), scenario: lossy('corrupt', 2), steps: TRANSFERRED }),
  define({ name: 'ipv6', abbreviation: '6', testcase: 'transfer', host: 'server6', files: files(5 * KB, 10 * KB), steps: [...TRANSFERRED, steps.onlyIpv6] }),
  define({ name: 'v2', abbreviation: 'V2', files: files(KB), steps: [steps.movesToVersion2, steps.filesArrive] }),
  define({
    name: 'rebind-port',
    abbreviation: 'BP',
    testcase: 'transfer',
    files: files(10 * MB),
    scenario: REBIND,
    rebinds: true,
    steps: [...TRANSFERRED, steps.newPathsAreValidated],
  }),
  define({
    name: 'rebind-addr',
    abbreviation: 'BA',
    testcase: 'transfer',
    files: files(10 * MB),
    scenario: `${REBIND} --rebind-addr`,
    rebinds: true,
    steps: [...TRANSFERRED, steps.clientAddressChanges, steps.newPathsAreValidated],
  }),
  define({
    name: 'connectionmigration',
    abbreviation: 'CM',
    testcase: ['transfer', 'connectionmigration'],
    host: 'server46',
    files: files(2 * MB),
    steps: [...TRANSFERRED, steps.newPathsAreValidated, steps.movesUseFreshIds],
  }),
  define({
    name: 'goodput',
    abbreviation: 'G',
    kind: 'measurement',
    testcase: 'transfer',
    files: files(10 * MB),
    repetitions: 5,
    steps: [...TRANSFERRED, steps.transferIsTimed],
  }),
  define({
    name: 'crosstraffic',
    abbreviation: 'C',
    kind: 'measurement',
    testcase: 'transfer',
    files: files(25 * MB),
    timeoutMs: 180_000,
    crossTraffic: true,
    repetitions: 5,
    steps: [...TRANSFERRED, steps.transferIsTimed],
  }),
]

/** Cases whose classes the runner has but does not run; peers still know their names. */
export const dormantCases: readonly CheckedCase[] = [
  define({ name: 'versionnegotiation', abbreviation: 'V', files: files(KB), steps: [steps.versionIsNegotiated] }),
]
