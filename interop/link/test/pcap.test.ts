import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pcapHeader, pcapRecord, PcapWriter } from '../pcap.ts'

test('head and record of a capture: nanoseconds, raw IP', () => {
  expect(pcapHeader().toString('hex')).toBe('4d3cb2a1020004000000000000000000ffff000065000000')
  // 1000 s and 1500.25 ms.
  expect(pcapRecord(Uint8Array.of(0x45, 1, 2), 1000, 1500.25).toString('hex')).toBe('e90300009035d11d0300000003000000450102')
})


test('a capture is whole once closed, and has what the packets were when written', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'quicwire-pcap-'))
  try {
    const file = join(directory, 'a.pcap')
    const writer = new PcapWriter(file)
    const packet = new Uint8Array(1500).fill(7)
    for (let i = 0; i < 100; i++) {
      packet[0] = i
      writer.write(packet, 0, i)
    }
    packet.fill(0)
    await writer.close()
    const bytes = await readFile(file)
    expect(bytes.length).toBe(24 + 100 * 1516)
    for (let i = 0; i < 100; i++) expect([bytes[24 + i * 1516 + 16], bytes[24 + i * 1516 + 17], bytes.readUInt32LE(24 + i * 1516 + 4)]).toEqual([i, 7, i * 1e6])
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('a capture that cannot be written is an error', async () => {
  const writer = new PcapWriter(join(tmpdir(), 'quicwire-no-such-directory', 'a.pcap'))
  writer.write(Uint8Array.of(0x45), 0, 0)
  await expect(writer.close()).rejects.toThrow('ENOENT')
})
