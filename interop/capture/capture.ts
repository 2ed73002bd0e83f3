// A whole capture, dissected with a key log.

import { RUNNER_HOSTS, type CaptureHosts, type CapturedDatagram } from './datagram.ts'
import { Dissector } from './dissector.ts'
import type { KeyLog } from './key-log.ts'
import { readPcap } from './pcap.ts'

/** Throws CaptureError. */
export function readCapture(file: string, keyLog: KeyLog, hosts: CaptureHosts = RUNNER_HOSTS): readonly CapturedDatagram[] {
  const dissector = new Dissector(keyLog, hosts)
  for (const packet of readPcap(file)) dissector.take(packet)
  return dissector.finish()
}
