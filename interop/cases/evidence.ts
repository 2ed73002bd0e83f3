// What a run's captures show, read once: by our own dissector, and by Wireshark when a second opinion is asked for.

import { readCapture } from '../capture/capture.ts'
import type { CapturedDatagram, CapturedPacket, CapturedPacketType, Sender } from '../capture/datagram.ts'
import { chooseKeyLog, readKeyLog } from '../capture/key-log.ts'
import type { RunRecord } from './case.ts'

export interface Evidence {
  /** What the client sees. */
  readonly left: readonly CapturedDatagram[]
  /** What the server sees. */
  readonly right: readonly CapturedDatagram[]
}

export interface RunEvidence extends Evidence {
  /** The file it was decrypted with; null: none of the key logs has a handshake. */
  readonly keyLog: string | null
}

const gathered = new WeakMap<RunRecord, RunEvidence>()

/** Throws CaptureError. */
export function evidenceOf(run: RunRecord): RunEvidence {
  const known = gathered.get(run)
  if (known !== undefined) return known
  const file = chooseKeyLog(run.keyLogs)
  const keyLog = readKeyLog(file)
  const evidence = { left: readCapture(run.leftCapture, keyLog), right: readCapture(run.rightCapture, keyLog), keyLog: file }
  gathered.set(run, evidence)
  return evidence
}

export function datagramsOf(capture: readonly CapturedDatagram[], sender: Sender): CapturedDatagram[] {
  return capture.filter((datagram) => datagram.sender === sender)
}

export function packetsOf(capture: readonly CapturedDatagram[], sender: Sender, type: CapturedPacketType): CapturedPacket[] {
  return datagramsOf(capture, sender).flatMap(({ packets }) => packets.filter((packet) => packet.type === type))
}
