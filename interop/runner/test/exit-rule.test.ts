import { describe, expect, test } from 'vitest'
import type { Verdict } from '../../cases/case.ts'
import { verdictFromEnds, verdictOfRepetitions, type End } from '../exit-rule.ts'

describe('what the ends of client and server say', () => {
  test.each<[End, End, Verdict | 'check']>([
    [0, 0, 'check'],
    [0, 'SIGKILL', 'check'],
    // The runner looks at the files as soon as one of the two ended well.
    [1, 0, 'check'],
    [127, 0, { kind: 'unsupported', by: 'client' }],
    [0, 127, { kind: 'unsupported', by: 'server' }],
    [1, 127, { kind: 'unsupported', by: 'server' }],
    [null, 0, { kind: 'failed', reason: 'the client was not done after 60 s' }],
    [1, 1, { kind: 'failed', reason: 'the client ended with 1, the server with 1' }],
    ['SIGSEGV', 'SIGTERM', { kind: 'failed', reason: 'the client ended with SIGSEGV, the server with SIGTERM' }],
  ])('client %s, server %s', (client, server, verdict) => {
    expect(verdictFromEnds({ client, server }, 60_000)).toEqual(verdict)
  })
})

describe('several repetitions', () => {
  const passed = (kilobitsPerSecond?: number): Verdict => (kilobitsPerSecond === undefined ? { kind: 'passed' } : { kind: 'passed', kilobitsPerSecond })

  test('of a measurement are their mean, with the deviation', () => {
    expect(verdictOfRepetitions([passed(9000)])).toEqual({ kind: 'passed', kilobitsPerSecond: 9000, remark: 'one run' })
    expect(verdictOfRepetitions([passed(9000), passed(9200), passed(9400)])).toEqual({ kind: 'passed', kilobitsPerSecond: 9200, remark: '± 163 kbit/s over 3' })
  })

  test('one that failed decides, whatever the others are', () => {
    const failed: Verdict = { kind: 'failed', reason: 'gone' }
    expect(verdictOfRepetitions([passed(9000), { kind: 'not-verified', reason: 'no tshark' }, failed])).toEqual(failed)
    expect(verdictOfRepetitions([passed(9000), { kind: 'unsupported', by: 'server' }])).toEqual({ kind: 'unsupported', by: 'server' })
    expect(verdictOfRepetitions([passed(9000), { kind: 'not-verified', reason: 'no iperf' }])).toEqual({ kind: 'not-verified', reason: 'no iperf' })
  })

  test('of a test keep what the first said; none at all verify nothing', () => {
    expect(verdictOfRepetitions([{ kind: 'passed', remark: 'a remark' }])).toEqual({ kind: 'passed', remark: 'a remark' })
    expect(verdictOfRepetitions([])).toMatchObject({ kind: 'not-verified' })
  })
})
