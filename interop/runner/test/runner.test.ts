// Which pairs there are, what is run, and what becomes of endpoints that are missing or break the contract; options and files besides.

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { SeededRandom } from '@quicwire/quic/testing'
import type { InteropCase, Verdict } from '../../cases/case.ts'
import type { Link } from '../../link/link.ts'
import { UsageError } from '../../process/arguments.ts'
import { InstallError } from '../../peers/peer.ts'
import type { Endpoint, Role } from '../endpoint.ts'
import { endpointVariables } from '../endpoint-process.ts'
import { chosen, interopOptions } from '../options.ts'
import { isOurFailure } from '../progress.ts'
import { pairsOf, runSuite, type SuiteOptions } from '../suite.ts'
import { writeWantedFiles } from '../wanted-files.ts'

/** An endpoint that is a line of JavaScript; `body` is for test cases it knows. */
function endpoint(name: string, body: string, more: Partial<Endpoint> = {}): Endpoint {
  const program = `if (process.env.TESTCASE.startsWith('no-such-case')) process.exit(127); ${body}`
  return { name, roles: ['client', 'server'], install: () => Promise.resolve('1'), command: () => [process.execPath, '-e', program], ...more }
}

const WAITS = 'setInterval(() => {}, 1000); process.on("SIGTERM", () => process.exit(0))'
/** Serves until it is ended, downloads at once. */
const WORKS = `if (process.env.ROLE === 'server') { ${WAITS} } else process.exit(0)`

function theCase(more: Partial<InteropCase> = {}): InteropCase {
  return {
    name: 'handshake',
    abbreviation: 'H',
    kind: 'test',
    testcase: { client: 'handshake', server: 'handshake' },
    host: 'server4',
    files: [{ sizeBytes: 10 }],
    scenario: 'simple-p2p',
    timeoutMs: 20_000,
    certificateChain: 1,
    crossTraffic: false,
    repetitions: 1,
    check: () => Promise.resolve({ kind: 'passed' }),
    ...more,
  }
}

/** A link that joins nobody. */
const link: Link = {
  backend: 'relay',
  leftCapture: '',
  rightCapture: '',
  place: (_role, command) => command,
  environment: () => ({}),
  authority: (host) => `${host}:443`,
  awaitServer: () => new Promise((resolve) => setTimeout(resolve, 300, true)),
  start: () => undefined,
  close: () => Promise.resolve(),
}

async function verdicts(more: Partial<SuiteOptions> & Pick<SuiteOptions, 'ours'>): Promise<Verdict[]> {
  const directory = mkdtempSync(join(tmpdir(), 'quicwire-runner-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const { cells } = await runSuite({
    peers: [],
    cases: [theCase()],
    roles: ['client', 'server'],
    reference: false,
    openLink: () => Promise.resolve(link),
    seed: 1,
    corruption: 'drop',
    repetitions: null,
    directory,
    keep: false,
    onCell: () => undefined,
    onRemark: () => undefined,
    ...more,
  })
  return cells.map(({ verdict }) => verdict)
}

describe('a run', () => {
  test('is checked when both sides ended well', async () => {
    expect(await verdicts({ ours: endpoint('ours', WORKS) })).toEqual([{ kind: 'passed' }])
  })

  test('fails as the check says, with what the client said when it ended badly', async () => {
    const cases = [theCase({ check: () => Promise.resolve({ kind: 'failed', reason: 'no file' }) })]
    expect(await verdicts({ cases, ours: endpoint('ours', WORKS) })).toEqual([{ kind: 'failed', reason: 'no file' }])
    const clumsy = endpoint('ours', `if (process.env.ROLE === 'server') { ${WAITS} } else { console.log('lost'); process.exit(3) }`)
    expect(await verdicts({ cases, ours: clumsy })).toEqual([{ kind: 'failed', reason: 'the client ended with 3: lost; no file' }])
  })

  test.each<[Role]>([['client'], ['server']])('is unsupported when the %s says so', async (by) => {
    const ours = endpoint('ours', `if (process.env.ROLE === '${by}') process.exit(127); ${WORKS}`)
    expect(await verdicts({ ours })).toEqual([{ kind: 'unsupported', by }])
  })

  test('fails when the server ends before its client, and when the client takes too long', async () => {
    const gone = endpoint('ours', `if (process.env.ROLE === 'server') { console.log('gone'); process.exit(2) } else { ${WAITS} }`)
    expect(await verdicts({ ours: gone })).toEqual([{ kind: 'failed', reason: 'the server ended with 2 before the client: gone' }])
    const [slow] = await verdicts({ ours: endpoint('ours', WAITS), cases: [theCase({ timeoutMs: 500 })] })
    expect(slow).toEqual({ kind: 'failed', reason: 'the client was not done after 0.5 s' })
  })

  test('with cross traffic is not verified on a link that has none', async () => {
    const [verdict] = await verdicts({ ours: endpoint('ours', WORKS), cases: [theCase({ crossTraffic: true })] })
    expect(verdict).toMatchObject({ kind: 'not-verified', reason: expect.stringContaining('cross traffic') })
  })

  test('of marks is not verified on a link that loses them', async () => {
    const [verdict] = await verdicts({ ours: endpoint('ours', WORKS), cases: [theCase({ name: 'ecn' })] })
    expect(verdict).toMatchObject({ kind: 'not-verified', reason: expect.stringContaining('ECN') })
  })

  test('that itself goes wrong is not verified', async () => {
    const [verdict] = await verdicts({ ours: endpoint('ours', WORKS), openLink: () => Promise.reject(new Error('no more ports')) })
    expect(verdict).toEqual({ kind: 'not-verified', reason: 'the run itself failed: no more ports' })
  })
})

describe('an endpoint that cannot be asked', () => {
  test('because it is not installed leaves its cells not verified', async () => {
    const peer = endpoint('peer', WORKS, { install: () => Promise.reject(new InstallError('no compiler')) })
    const expected = { kind: 'not-verified', reason: 'peer is not here: no compiler' }
    expect(await verdicts({ ours: endpoint('ours', WORKS), peers: [peer] })).toEqual([{ kind: 'passed' }, expected, expected])
  })

  test('because it takes any test case leaves its cells not verified', async () => {
    const ours = { ...endpoint('ours', WORKS), command: () => [process.execPath, '-e', 'process.exit(0)'] }
    const [verdict] = await verdicts({ ours })
    expect(verdict).toMatchObject({ kind: 'not-verified', reason: expect.stringMatching(/the client of ours.*it exited with 0/) })
  })
})

describe('the pairs', () => {
  const ours = endpoint('ours', '')
  const both = endpoint('both', '')
  const browser = endpoint('browser', '', { roles: ['client'] })
  const names = (options: Partial<SuiteOptions>): string[] =>
    pairsOf({ ours, peers: [both, browser], roles: ['client', 'server'], reference: false, ...options }).map(({ client, server }) => `${client.name} ${server.name}`)

  test('are ours with itself, and with each peer in the roles it has', () => {
    expect(names({})).toEqual(['ours ours', 'ours both', 'both ours', 'browser ours'])
    expect(names({ peers: [] })).toEqual(['ours ours'])
  })

  test('of one role leave ours with itself out', () => {
    expect(names({ roles: ['client'] })).toEqual(['ours both'])
    expect(names({ roles: ['server'] })).toEqual(['both ours', 'browser ours'])
    expect(names({ roles: ['server'], peers: [] })).toEqual(['ours ours'])
  })

  test('with a reference have the peers with themselves', () => {
    expect(names({ reference: true })).toContain('both both')
  })
})

test('only what fails with us in it, and is nobody else’s fault, is ours', () => {
  const cell = { case: 'retry', abbreviation: 'S', kind: 'test', verdict: { kind: 'failed', reason: 'no Retry' }, seconds: 1 } as const
  expect(isOurFailure({ ...cell, client: 'ours', server: 'peer' }, 'ours')).toBe(true)
  expect(isOurFailure({ ...cell, client: 'peer', server: 'peer' }, 'ours')).toBe(false)
  expect(isOurFailure({ ...cell, client: 'ours', server: 'peer', fault: { of: 'peer', reason: 'known' } }, 'ours')).toBe(false)
})

test('variables of an endpoint, with its own folders or those of a container', () => {
  const directories = { www: '/run/www', downloads: '/run/downloads', certificates: '/run/certs', logs: '/run/server' }
  const start = { role: 'server', testcase: 'retry', requests: [], directories, environment: { LISTEN_PORT: '5000' }, place: (command: readonly string[]) => command } as const
  const own = endpointVariables({ ...start, endpoint: endpoint('ours', '') })
  expect(own).toMatchObject({ ROLE: 'server', TESTCASE: 'retry', REQUESTS: '', WWW: '/run/www', CERTS: '/run/certs', LISTEN_PORT: '5000' })
  expect(own).toMatchObject({ SSLKEYLOGFILE: '/run/server/keys.log', QLOGDIR: '/run/server/qlog/' })
  const fixed = endpointVariables({ ...start, endpoint: endpoint('peer', '', { fixedPaths: true }) })
  expect(fixed).toMatchObject({ WWW: '/www', DOWNLOADS: '/downloads', CERTS: '/certs', SSLKEYLOGFILE: '/logs/keys.log' })
})

describe('options', () => {
  test('have defaults', () => {
    expect(interopOptions([])).toMatchObject({ peers: null, cases: null, roles: ['client', 'server'], backend: null, seed: null, corruption: 'drop' })
  })

  test('are lists, names and numbers', () => {
    const options = interopOptions(['--', '--peers', 'a, b', '--roles', 'server', '--backend', 'relay', '--seed', '7', '--corruption', 'deliver'])
    expect(options).toMatchObject({ peers: ['a', 'b'], roles: ['server'], backend: 'relay', seed: 7, corruption: 'deliver' })
    expect(interopOptions(['--peers', 'none']).peers).toEqual([])
  })

  test.each([[['--roles', 'proxy']], [['--seed', '-1']], [['--backend', 'docker']], [['--what']], [['--repetitions', '0']]])('%j is refused', (argv) => {
    expect(() => interopOptions(argv)).toThrow(UsageError)
  })

  test('choose by any of the names, in the order of the runner', () => {
    const known = [['handshake', 'H'], ['transfer', 'DC'], ['retry', 'S']]
    expect(chosen(['S', 'handshake'], known, (names) => names, 'case')).toEqual([known[0], known[2]])
    expect(chosen(null, known, (names) => names, 'case')).toEqual(known)
    expect(() => chosen(['X'], known, (names) => names, 'case')).toThrow(/no case 'X'; known: handshake, transfer, retry/)
  })
})

test('files have random names and contents of the size asked for; the seed makes them again', () => {
  const make = (): string[] => {
    const directory = mkdtempSync(join(tmpdir(), 'quicwire-files-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const names = writeWantedFiles(directory, [{ sizeBytes: 1000 }, { sizeBytes: 0 }, { sizeBytes: 32, nameLength: 250 }], new SeededRandom(3))
    expect(readdirSync(directory).sort()).toEqual([...names].sort())
    expect(names.map((name) => statSync(join(directory, name)).size)).toEqual([1000, 0, 32])
    return names
  }
  const names = make()
  expect(names[0]).toMatch(/^[a-z]+-[a-z]+-[a-z]+$/)
  expect(names[2]).toMatch(/^[a-z]{250}$/)
  expect(make()).toEqual(names)
})
