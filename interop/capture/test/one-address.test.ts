import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { readCapture } from '../capture.ts'
import { readKeyLog } from '../key-log.ts'
import { withOneClientAddress } from '../one-address.ts'
import { RecordedNetwork } from './recorded-network.ts'

const directory = mkdtempSync(join(tmpdir(), 'quicwire-one-address-'))
afterAll(() => rmSync(directory, { recursive: true }))

const ADDRESSES = ['193.167.0.100:50000', '193.167.0.7:61234', '193.167.0.8:61234']

describe('a capture of a client that is rebound', () => {
  it('can be had with its first address alone, and what was read of that with the real ones', () => {
    const network = new RecordedNetwork({ files: { a: 300_000 }, conditions: { bandwidth: 1e7 } })
    const client = network.connect()
    network.confirm(client)
    for (const [i, delay] of [60, 140].entries()) network.network.at(network.network.now + delay, () => network.network.rebind('client 1', ADDRESSES[i + 1]!))
    const { rightCapture, keyLogs } = network.download(client, 'a').close(client).save()
    const keys = readKeyLog(keyLogs[0]!)
    const copy = join(directory, 'copy.pcap')
    const restore = withOneClientAddress(rightCapture, copy)
    const original = readCapture(rightCapture, keys)
    const seen = (datagrams: typeof original): string[] => [...new Set(datagrams.map(({ sender, source, destination }) => (sender === 'client' ? source : destination)))]
    expect(seen(original)).toEqual(ADDRESSES)
    const one = readCapture(copy, keys)
    expect(seen(one)).toEqual(ADDRESSES.slice(0, 1))
    expect(one.flatMap(({ packets }) => packets).every(({ decrypted }) => decrypted)).toBe(true)
    expect(restore(one)).toEqual(original)
  })
})
