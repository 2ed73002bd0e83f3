// A capture of one connection without its client's rebindings: every packet to or from the client as if it had kept its first address.

import { closeSync, openSync, writeSync } from 'node:fs'
import { parseIpAddress } from '../../packages/quic/src/base/ip-address.ts'
import { RUNNER_HOSTS, endpointName, type CaptureHosts, type CapturedDatagram } from './datagram.ts'
import { pcapHeader, pcapRecord, readPcap } from './pcap.ts'
import { readUdpDatagram, type UdpDatagram } from './udp.ts'

interface Client {
  readonly ipVersion: 4 | 6
  readonly address: Uint8Array
  readonly port: number
}

/** Gives back the addresses as they were, to what was read from the copy. */
export type Restore = (datagrams: readonly CapturedDatagram[]) => CapturedDatagram[]

/** Writes the copy. Checksums are left as they were, that is wrong. Throws CaptureError. */
export function withOneClientAddress(file: string, copy: string, hosts: CaptureHosts = RUNNER_HOSTS): Restore {
  const addresses: { source: string; destination: string; frame: number }[] = []
  let first: Client | null = null
  const output = openSync(copy, 'w')
  try {
    writeSync(output, pcapHeader())
    for (const { frame, time, bytes } of readPcap(file)) {
      const udp = readUdpDatagram(bytes)
      // The copy has the IP packets only, so it numbers them anew.
      addresses.push({
        frame,
        source: udp === null ? '' : endpointName(udp.source, udp.sourcePort),
        destination: udp === null ? '' : endpointName(udp.destination, udp.destinationPort),
      })
      if (udp !== null) {
        const fromServer = hosts.isServer(udp.source, udp.sourcePort)
        if (fromServer !== hosts.isServer(udp.destination, udp.destinationPort)) {
          first ??= clientOf(udp, fromServer)
          if (first.ipVersion === udp.ipVersion) rewrite(bytes, udp, fromServer, first)
        }
      }
      writeSync(output, pcapRecord(time, bytes))
    }
  } finally {
    closeSync(output)
  }
  return (datagrams) => datagrams.map((datagram) => ({ ...datagram, ...addresses[datagram.frame - 1] }))
}

function clientOf(udp: UdpDatagram, fromServer: boolean): Client {
  const address = parseIpAddress(fromServer ? udp.destination : udp.source)
  return { ipVersion: udp.ipVersion, address: address!, port: fromServer ? udp.destinationPort : udp.sourcePort }
}

function rewrite(packet: Uint8Array, udp: UdpDatagram, fromServer: boolean, client: Client): void {
  const source = udp.ipVersion === 4 ? 12 : 8
  packet.set(client.address, fromServer ? source + client.address.length : source)
  const ports = udp.payload.byteOffset - packet.byteOffset - 8 + (fromServer ? 2 : 0)
  packet[ports] = client.port >> 8
  packet[ports + 1] = client.port & 0xff
}
