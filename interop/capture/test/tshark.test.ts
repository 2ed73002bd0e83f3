// Both readings, packet by packet. Skipped where tshark is not installed.

import { describe, expect, it } from 'vitest'
import { toHex } from '../../../packages/quic/src/base/bytes.ts'
import { FrameType } from '../../../packages/quic/src/wire/constants.ts'
import { readCapture } from '../capture.ts'
import type { CapturedDatagram } from '../datagram.ts'
import { readKeyLog } from '../key-log.ts'
import { TsharkError, readWithTshark, tsharkVersion } from '../tshark.ts'
import { RecordedNetwork } from './recorded-network.ts'

const version = await tsharkVersion()
const described = version === null ? describe.skip : describe

/** What both readings hold of each packet: of 1-RTT packets no CRYPTO data, and of frames what checks ask about. */
function comparable(datagrams: readonly CapturedDatagram[]): unknown[] {
  return datagrams.map((datagram) => ({
    ...datagram,
    packets: datagram.packets.map((packet) => ({
      ...packet,
      messages: packet.type === '1-rtt' ? [] : packet.messages,
      frames: packet.frames.map(({ type, data, ect0, offset, length }) => {
        if (data !== undefined) return `${type} ${toHex(data)}`
        if (ect0 !== undefined) return `${type} ${ect0}`
        return type === FrameType.crypto && packet.type !== '1-rtt' ? `${type} ${offset} ${length}` : `${type}`
      }),
    })),
  }))
}

described(`tshark ${version ?? '(not installed)'}`, () => {
  it('reads handshake, ECN, key update and rebinding as we do, to the nanosecond', async () => {
    const transport = { ecnCapable: true }
    const network = new RecordedNetwork({ files: { a: 30_000, b: 300_000 }, conditions: { bandwidth: 9_876_543, loss: 0.01 }, client: transport, server: transport })
    const client = network.connect({}, { groups: undefined })
    network.confirm(client).download(client, 'a')
    client.connection.updateKeys()
    network.network.at(network.network.now + 100, () => network.network.rebind('client 1', '193.167.0.77:61234'))
    const { leftCapture, rightCapture, keyLogs } = network.download(client, 'b').close(client).save()
    for (const file of [leftCapture, rightCapture]) {
      const ours = readCapture(file, readKeyLog(keyLogs[0]!))
      expect(ours.length).toBeGreaterThan(250)
      expect(ours.flatMap(({ packets }) => packets).every(({ decrypted }) => decrypted)).toBe(true)
      expect(comparable(await readWithTshark(file, { keyLog: keyLogs[0]! }))).toEqual(comparable(ours))
    }
  })

  it('says why it cannot read', async () => {
    await expect(readWithTshark('/nowhere/none.pcap', { keyLog: null })).rejects.toThrow(TsharkError)
  })
})
