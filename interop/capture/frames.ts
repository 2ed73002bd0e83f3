// The frames of a decrypted payload, with the data of CRYPTO frames.

import { describeFrame } from '../../packages/quic/src/connection/frame-records.ts'
import type { FrameRecord } from '../../packages/quic/src/trace/sink.ts'
import { FrameType } from '../../packages/quic/src/wire/constants.ts'
import { readFrameType } from '../../packages/quic/src/wire/frame-table.ts'
import { CryptoFrame, readCryptoFrame } from '../../packages/quic/src/wire/frames/crypto.ts'
import { Reader } from '../../packages/quic/src/wire/reader.ts'
import { TransportError } from '../../packages/quic/src/wire/transport-error.ts'

/** No check asks for ACK Delay, so the exponent does not matter. */
const ACK_DELAY_EXPONENT = 3

const reader = new Reader()
const crypto = new CryptoFrame()

/** Ends at the first frame that cannot be decoded. `onCrypto` gets a view. */
export function readFrames(buffer: Uint8Array, start: number, end: number, onCrypto: (offset: number, data: Uint8Array) => void): FrameRecord[] {
  const records: FrameRecord[] = []
  reader.reset(buffer, start, end)
  try {
    while (reader.position < end) {
      const type = readFrameType(reader)
      if (type < 0) break
      if (type === FrameType.crypto) {
        readCryptoFrame(reader, type, crypto)
        records.push({ type, offset: crypto.offset, length: crypto.dataLength })
        onCrypto(crypto.offset, buffer.subarray(crypto.dataStart, crypto.dataStart + crypto.dataLength))
        continue
      }
      const record = describeFrame(reader, type, ACK_DELAY_EXPONENT)
      if (record === null) break
      if (record.ranges !== undefined) records.push(withoutRanges(record))
      else if (type !== FrameType.padding) records.push(record)
    }
  } catch (error) {
    if (!(error instanceof TransportError)) throw error
  }
  return records
}

// A capture of 25 MB has tens of thousands of them.
function withoutRanges({ type, ect0, ect1, ce }: FrameRecord): FrameRecord {
  return ect0 === undefined || ect1 === undefined || ce === undefined ? { type } : { type, ect0, ect1, ce }
}
