// Runs of the cases on the simulator, and how they are judged.

import { expect } from 'vitest'
import { evidenceOf, type Evidence } from '../evidence.ts'
import type { RunRecord, Verdict } from '../case.ts'
import { dormantCases, interopCases, type CheckedCase } from '../runner-cases.ts'
import { RecordedNetwork, type RecordedOptions } from '../../capture/test/recorded-network.ts'
import type { CapturedDatagram, CapturedPacket } from '../../capture/datagram.ts'
import { MemorySessionStore } from '../../../packages/quic/src/tls/resumption/session-store.ts'
import type { ConnectionConfig, TlsSettings } from '../../../packages/quic/src/connection/config.ts'

export function caseNamed(name: string): CheckedCase {
  const found = [...interopCases, ...dormantCases].find((candidate) => candidate.name === name)
  if (found === undefined) throw new Error(`no case ${name}`)
  return found
}

export function verdictOf(name: string, run: RunRecord): Promise<Verdict> {
  return caseNamed(name).check(run)
}

export const failed = (reason: RegExp): unknown => ({ kind: 'failed', reason: expect.stringMatching(reason) })

/** One connection that downloads all files and closes. */
export function download(options: RecordedOptions = {}, config: Partial<ConnectionConfig> = {}, tls: Partial<TlsSettings> = {}): RunRecord {
  const files = options.files ?? { 'a-b-c': 1024 }
  const network = new RecordedNetwork({ ...options, files })
  const client = network.connect(config, tls)
  return network.confirm(client).download(client, ...Object.keys(files)).close(client).save()
}

/** Two connections with a session store between them; the requests of the second go out at once where it has early data. */
export function downloadTwice(names: readonly string[], second: Partial<TlsSettings> = {}, options: RecordedOptions = {}): RunRecord {
  const network = new RecordedNetwork({ ...options, files: Object.fromEntries(names.map((name) => [name, 32])) })
  const sessions = new MemorySessionStore()
  const one = network.connect({}, { sessions, earlyData: true })
  network.confirm(one).download(one, names[0]!).close(one)
  const two = network.connect({}, { sessions, earlyData: true, ...second }, '193.167.0.100:50001')
  if (second.earlyData === false) network.confirm(two)
  else network.network.turnAll()
  return network.download(two, ...names.slice(1)).close(two).save()
}

export type Alteration = (packet: CapturedPacket, datagram: CapturedDatagram) => CapturedPacket | null

/** What a run showed, with packets changed or left out in both captures. */
export function altered(run: RunRecord, alter: Alteration): Evidence {
  const change = (capture: readonly CapturedDatagram[]): CapturedDatagram[] =>
    capture
      .map((datagram) => ({ ...datagram, packets: datagram.packets.map((packet) => alter(packet, datagram)).filter((packet) => packet !== null) }))
      .filter(({ packets }) => packets.length > 0)
  const { left, right } = evidenceOf(run)
  return { left: change(left), right: change(right) }
}
