// A capture of one connection without its client's rebindings: every packet to or from the client as if it had kept its first address.

import { closeSync, openSync, writeSync } from 'node:fs'
import { formatIpAddress } from '../../packages/quic/src/base/ip-address.ts'
import { IpPacket } from '../link/ip-packet.ts'
import { pcapHeader, pcapRecord } from '../link/pcap.ts'
import { RUNNER_HOSTS, endpointName, type CaptureHosts, type CapturedDatagram } from './datagram.ts'
import { readPcap } from './pcap.ts'

interface Client {
  readonly address: Uint8Array
  readonly port: number
}

/** Gives back addresses and times as they were, to what was read from the copy. */
export type Restore = (datagrams: readonly CapturedDatagram[]) => CapturedDatagram[]

/** Writes the copy. Only IPv4 is rebound. Throws CaptureError. */
export function withOneClientAddress(file: string, copy: string, hosts: CaptureHosts = RUNNER_HOSTS): Restore {
  // By frame of the copy, which has IP packets only and so numbers them anew.
  const originals: Pick<CapturedDatagram, 'source' | 'destination' | 'frame' | 'time'>[] = []
  let first: Client | null = null
  const output = openSync(copy, 'w')
  try {
    writeSync(output, pcapHeader())
    for (const { frame, time, bytes } of readPcap(file)) {
      const packet = IpPacket.parse(bytes)
      const [source, destination] = packet === null || !packet.isUdp ? ['', ''] : [nameOf(packet.source, packet.sourcePort), nameOf(packet.destination, packet.destinationPort)]
      originals.push({ frame, time, source, destination })
      if (packet !== null && packet.isUdp && packet.version === 4) first = rebound(packet, first, hosts)
      writeSync(output, pcapRecord(bytes, 0, time))
    }
  } finally {
    closeSync(output)
  }
  return (datagrams) => datagrams.map((datagram) => ({ ...datagram, ...originals[datagram.frame - 1] }))
}

function nameOf(address: Uint8Array, port: number): string {
  return endpointName(formatIpAddress(address), port)
}

/** Changes the packet in place when it is between the client and the server; answers the client's first address, if it is known by now. */
function rebound(packet: IpPacket, first: Client | null, hosts: CaptureHosts): Client | null {
  const fromServer = hosts.isServer(formatIpAddress(packet.source), packet.sourcePort)
  if (fromServer === hosts.isServer(formatIpAddress(packet.destination), packet.destinationPort)) return first
  const client = first ?? { address: (fromServer ? packet.destination : packet.source).slice(), port: fromServer ? packet.destinationPort : packet.sourcePort }
  if (fromServer) packet.rewriteDestination(client.address, client.port)
  else packet.rewriteSource(client.address, client.port)
  return client
}
