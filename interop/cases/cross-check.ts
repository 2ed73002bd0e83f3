// The verdict on a run, with Wireshark's reading of the same captures beside ours where there is one: a fault that parser and stack
// share would be invisible otherwise.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CaptureError } from '../capture/pcap.ts'
import { withOneClientAddress } from '../capture/one-address.ts'
import { TsharkError, readWithTshark } from '../capture/tshark.ts'
import type { InteropCase, RunRecord, Verdict } from './case.ts'
import { evidenceOf, type Evidence } from './evidence.ts'
import type { CheckedCase } from './runner-cases.ts'

/** The same case with every fact held against tshark's reading, which must be installed (tsharkVersion()). A disagreement leaves a run not verified. */
export function crossChecked(interopCase: CheckedCase): InteropCase {
  return { ...interopCase, check: (run) => judge(interopCase, run) }
}

async function judge(interopCase: CheckedCase, run: RunRecord): Promise<Verdict> {
  const verdict = await interopCase.check(run)
  if (verdict.kind === 'unsupported' || verdict.kind === 'not-verified') return verdict
  try {
    const disagreements = await disagreementsOf(interopCase, run)
    if (disagreements.length === 0) return verdict
    return { kind: 'not-verified', reason: `${verdict.kind} by our reading, but ${disagreements.join('; ')}` }
  } catch (error) {
    if (!(error instanceof TsharkError || error instanceof CaptureError)) throw error
    return { kind: 'not-verified', reason: `${verdict.kind} by our reading, not cross-checked: ${error.message}` }
  }
}

/** Facts that tshark reads differently, with both readings. */
async function disagreementsOf(interopCase: CheckedCase, run: RunRecord): Promise<string[]> {
  const ours = evidenceOf(run)
  const theirs = await tsharkEvidence(interopCase, run, ours.keyLog)
  return interopCase.facts.flatMap((fact) => {
    const value = (own: Evidence, other: Evidence): string => JSON.stringify(fact.comparable?.(own, other) ?? fact.of(own))
    const [here, there] = [value(ours, theirs), value(theirs, ours)]
    return here === there ? [] : [`${fact.name}: ${excerpt(here, there)} here, ${excerpt(there, here)} by tshark`]
  })
}

async function tsharkEvidence(interopCase: CheckedCase, run: RunRecord, keyLog: string | null): Promise<Evidence> {
  if (!interopCase.rebinds) {
    const [left, right] = await Promise.all([readWithTshark(run.leftCapture, { keyLog }), readWithTshark(run.rightCapture, { keyLog })])
    return { left, right }
  }
  // Wireshark 4.0 tells connections without a client connection ID by their addresses, and loses them when those change.
  const directory = mkdtempSync(join(tmpdir(), 'quicwire-one-address-'))
  try {
    const copy = join(directory, 'right.pcap')
    const restore = withOneClientAddress(run.rightCapture, copy)
    const [left, right] = await Promise.all([readWithTshark(run.leftCapture, { keyLog }), readWithTshark(copy, { keyLog })])
    return { left, right: restore(right) }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const LONGEST = 200

/** Long readings from a little before they part. */
function excerpt(reading: string, other: string): string {
  if (reading.length <= LONGEST) return reading
  let at = 0
  while (at < reading.length && reading[at] === other[at]) at += 1
  const start = Math.max(0, at - 40)
  return `${start > 0 ? '…' : ''}${reading.slice(start, start + LONGEST)}…`
}
