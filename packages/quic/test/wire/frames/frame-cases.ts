// One case per frame family of RFC 9000 §19 and RFC 9221 §4: an arbitrary valid frame, how to write it, how to read it.

import fc from 'fast-check'
import { copyBytes } from '../../../src/base/bytes.ts'
import { RangeSet } from '../../../src/base/range-set.ts'
import { AckFrame, readAckFrame, writeAckFrame } from '../../../src/wire/frames/ack.ts'
import {
  AckFrequencyFrame,
  ackFrequencyFrameSize,
  readAckFrequencyFrame,
  writeAckFrequencyFrame,
} from '../../../src/wire/frames/ack-frequency.ts'
import {
  ConnectionCloseFrame,
  connectionCloseFrameSize,
  readConnectionCloseFrame,
  writeConnectionCloseFrame,
} from '../../../src/wire/frames/close.ts'
import {
  NewConnectionIdFrame,
  newConnectionIdFrameSize,
  readNewConnectionIdFrame,
  readRetireConnectionIdFrame,
  RetireConnectionIdFrame,
  retireConnectionIdFrameSize,
  writeNewConnectionIdFrame,
  writeRetireConnectionIdFrame,
} from '../../../src/wire/frames/connection-id.ts'
import { CryptoFrame, cryptoFrameHeaderSize, readCryptoFrame, writeCryptoFrameHeader } from '../../../src/wire/frames/crypto.ts'
import { DatagramFrame, datagramFrameSize, readDatagramFrame, writeDatagramFrame } from '../../../src/wire/frames/datagram.ts'
import {
  FlowControlFrame,
  limitFrameSize,
  readFlowControlFrame,
  streamLimitFrameSize,
  writeDataBlockedFrame,
  writeMaxDataFrame,
  writeMaxStreamDataFrame,
  writeMaxStreamsFrame,
  writeStreamDataBlockedFrame,
  writeStreamsBlockedFrame,
} from '../../../src/wire/frames/flow-control.ts'
import { NewTokenFrame, newTokenFrameSize, readNewTokenFrame, writeNewTokenFrame } from '../../../src/wire/frames/new-token.ts'
import {
  PATH_FRAME_SIZE,
  PathFrame,
  readPathFrame,
  writePathChallengeFrame,
  writePathResponseFrame,
} from '../../../src/wire/frames/path.ts'
import {
  readResetStreamFrame,
  ResetStreamFrame,
  resetStreamFrameSize,
  writeResetStreamFrame,
} from '../../../src/wire/frames/reset-stream.ts'
import {
  readResetStreamAtFrame,
  ResetStreamAtFrame,
  resetStreamAtFrameSize,
  writeResetStreamAtFrame,
} from '../../../src/wire/frames/reset-stream-at.ts'
import {
  readStopSendingFrame,
  StopSendingFrame,
  stopSendingFrameSize,
  writeStopSendingFrame,
} from '../../../src/wire/frames/stop-sending.ts'
import { readStreamFrame, StreamFrame, streamFrameHeaderSize, writeStreamFrameHeader } from '../../../src/wire/frames/stream.ts'
import type { Reader } from '../../../src/wire/reader.ts'
import type { WireValue } from '../../../src/wire/varint.ts'
import { Writer } from '../../../src/wire/writer.ts'
import { ackFrameSize } from './ack-frame-size.ts'

export interface EncodedFrame {
  /** All bytes, the type first: of a type in two bytes the second one alone. */
  bytes: Uint8Array
  /** What reading must give. */
  expected: object
  /** What the size function says. */
  size: number
  /** Cutting at or behind this position leaves a valid, shorter frame (no Length field); Infinity: no cut does. */
  validFrom: number
}

export interface FrameCase {
  name: string
  types: readonly number[]
  arbitrary: fc.Arbitrary<EncodedFrame>
}

/** Values of every magnitude up to 2^53 − 1. */
export const safe: fc.Arbitrary<number> = fc.oneof(
  fc.tuple(fc.maxSafeNat(), fc.integer({ min: 0, max: 53 })).map(([v, shift]) => Math.floor(v / 2 ** shift)),
  fc.constantFrom(0, 63, 64, 16383, 16384, 2 ** 30 - 1, 2 ** 30, Number.MAX_SAFE_INTEGER),
)
const wide: fc.Arbitrary<WireValue> = fc.oneof(safe, fc.bigInt({ min: 2n ** 53n, max: 2n ** 62n - 1n }))
const data = fc.uint8Array({ maxLength: 100 })
const text = fc.string({ maxLength: 80, unit: 'binary' })
const below = (limit: number): fc.Arbitrary<number> => safe.map((v) => Math.min(v, limit))

function frame(write: (writer: Writer) => void, size: number, expected: object, validFrom: number = Infinity): EncodedFrame {
  const writer = new Writer(new Uint8Array(1500))
  write(writer)
  return { bytes: writer.buffer.slice(0, writer.position), expected, size, validFrom }
}

export const receivedRanges: fc.Arbitrary<RangeSet> = fc
  .tuple(safe, fc.array(fc.tuple(fc.nat(300), fc.nat(300)), { minLength: 1, maxLength: 40 }))
  .map(([base, steps]) => {
    const ranges = new RangeSet()
    let at = Math.min(base, 2 ** 52)
    for (const [gap, length] of steps) {
      at += gap + 1
      ranges.add(at, at + length + 1)
      at += length + 1
    }
    return ranges
  })

export function ackPairs(ranges: RangeSet): number[] {
  const pairs: number[] = []
  for (let i = ranges.length - 1; i >= 0; i--) pairs.push(ranges.startAt(i), ranges.endAt(i) - 1)
  return pairs
}

/** Reads the frame after its type and returns plain values to compare; throws what the decoder throws. */
export function decodeBody(reader: Reader, type: number): object {
  const slice = (f: { dataStart: number; dataLength: number }): Uint8Array =>
    copyBytes(reader.buffer.subarray(f.dataStart, f.dataStart + f.dataLength))
  if (type === 0x02 || type === 0x03) {
    const f = new AckFrame()
    readAckFrame(reader, type, f)
    const { largest, delay, hasEcn, ect0, ect1, ce } = f
    return { largest, delay, hasEcn, ect0, ect1, ce, pairs: [...f.ranges.subarray(0, f.rangeCount * 2)] }
  }
  if (type === 0x04) {
    const f = new ResetStreamFrame()
    readResetStreamFrame(reader, type, f)
    return { ...f }
  }
  if (type === 0x24) {
    const f = new ResetStreamAtFrame()
    readResetStreamAtFrame(reader, type, f)
    return { ...f }
  }
  if (type === 0x05) {
    const f = new StopSendingFrame()
    readStopSendingFrame(reader, type, f)
    return { ...f }
  }
  if (type === 0x06) {
    const f = new CryptoFrame()
    readCryptoFrame(reader, type, f)
    return { offset: f.offset, data: slice(f) }
  }
  if (type === 0x07) {
    const f = new NewTokenFrame()
    readNewTokenFrame(reader, type, f)
    return { ...f }
  }
  if (type >= 0x08 && type <= 0x0f) {
    const f = new StreamFrame()
    readStreamFrame(reader, type, f)
    return { streamId: f.streamId, offset: f.offset, fin: f.fin, data: slice(f) }
  }
  if (type >= 0x10 && type <= 0x17) {
    const f = new FlowControlFrame()
    readFlowControlFrame(reader, type, f)
    return { ...f }
  }
  if (type === 0x18) {
    const f = new NewConnectionIdFrame()
    readNewConnectionIdFrame(reader, type, f)
    return { ...f }
  }
  if (type === 0x19) {
    const f = new RetireConnectionIdFrame()
    readRetireConnectionIdFrame(reader, type, f)
    return { ...f }
  }
  if (type === 0x1a || type === 0x1b) {
    const f = new PathFrame()
    readPathFrame(reader, type, f)
    return { ...f }
  }
  if (type === 0x1c || type === 0x1d) {
    const f = new ConnectionCloseFrame()
    readConnectionCloseFrame(reader, type, f)
    return { ...f }
  }
  if (type === 0x30 || type === 0x31) {
    const f = new DatagramFrame()
    readDatagramFrame(reader, type, f)
    return { data: slice(f) }
  }
  if (type === 0xaf) {
    const f = new AckFrequencyFrame()
    readAckFrequencyFrame(reader, type, f)
    return { ...f }
  }
  throw new Error(`frame type ${type} has no body`)
}

const streamCase = fc.tuple(safe, safe, data, fc.boolean(), fc.boolean()).map(([streamId, anyOffset, bytes, fin, explicit]) => {
  const offset = Math.min(anyOffset, Number.MAX_SAFE_INTEGER - bytes.length)
  const header = streamFrameHeaderSize(streamId, offset, explicit ? bytes.length : -1)
  return frame(
    (writer) => {
      writeStreamFrameHeader(writer, streamId, offset, bytes.length, fin, explicit)
      writer.bytes(bytes)
    },
    header + bytes.length,
    { streamId, offset, fin, data: bytes },
    explicit ? Infinity : header,
  )
})

const ecn = fc.option(fc.record({ ect0: safe, ect1: safe, ce: safe }))

export const frameCases: readonly FrameCase[] = [
  {
    name: 'ACK',
    types: [0x02, 0x03],
    arbitrary: fc.tuple(receivedRanges, safe, ecn).map(([ranges, delay, ecn]) =>
      frame((writer) => void writeAckFrame(writer, ranges, delay, ecn), ackFrameSize(ranges, delay, ecn), {
        largest: ranges.max(),
        delay,
        hasEcn: ecn !== null,
        ect0: ecn?.ect0 ?? 0,
        ect1: ecn?.ect1 ?? 0,
        ce: ecn?.ce ?? 0,
        pairs: ackPairs(ranges),
      }),
    ),
  },
  {
    name: 'RESET_STREAM',
    types: [0x04],
    arbitrary: fc.tuple(safe, wide, safe).map(([streamId, errorCode, finalSize]) =>
      frame(
        (writer) => writeResetStreamFrame(writer, streamId, errorCode, finalSize),
        resetStreamFrameSize(streamId, errorCode, finalSize),
        { streamId, errorCode, finalSize },
      ),
    ),
  },
  {
    name: 'RESET_STREAM_AT',
    types: [0x24],
    arbitrary: fc.tuple(safe, wide, safe, safe).map(([streamId, errorCode, a, b]) => {
      const finalSize = Math.max(a, b)
      const reliableSize = Math.min(a, b)
      return frame(
        (writer) => writeResetStreamAtFrame(writer, streamId, errorCode, finalSize, reliableSize),
        resetStreamAtFrameSize(streamId, errorCode, finalSize, reliableSize),
        { streamId, errorCode, finalSize, reliableSize },
      )
    }),
  },
  {
    name: 'STOP_SENDING',
    types: [0x05],
    arbitrary: fc.tuple(safe, wide).map(([streamId, errorCode]) =>
      frame((writer) => writeStopSendingFrame(writer, streamId, errorCode), stopSendingFrameSize(streamId, errorCode), {
        streamId,
        errorCode,
      }),
    ),
  },
  {
    name: 'CRYPTO',
    types: [0x06],
    arbitrary: fc.tuple(below(Number.MAX_SAFE_INTEGER - 100), data).map(([offset, bytes]) =>
      frame(
        (writer) => {
          writeCryptoFrameHeader(writer, offset, bytes.length)
          writer.bytes(bytes)
        },
        cryptoFrameHeaderSize(offset, bytes.length) + bytes.length,
        { offset, data: bytes },
      ),
    ),
  },
  {
    name: 'NEW_TOKEN',
    types: [0x07],
    arbitrary: fc.uint8Array({ minLength: 1, maxLength: 100 }).map((token) =>
      frame((writer) => writeNewTokenFrame(writer, token), newTokenFrameSize(token.length), { token }),
    ),
  },
  { name: 'STREAM', types: [0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f], arbitrary: streamCase },
  {
    name: 'MAX_DATA and DATA_BLOCKED',
    types: [0x10, 0x14],
    arbitrary: fc.tuple(safe, fc.boolean()).map(([maximum, blocked]) =>
      frame((writer) => (blocked ? writeDataBlockedFrame : writeMaxDataFrame)(writer, maximum), limitFrameSize(maximum), {
        streamId: -1,
        maximum,
      }),
    ),
  },
  {
    name: 'MAX_STREAM_DATA and STREAM_DATA_BLOCKED',
    types: [0x11, 0x15],
    arbitrary: fc.tuple(safe, safe, fc.boolean()).map(([streamId, maximum, blocked]) =>
      frame(
        (writer) => (blocked ? writeStreamDataBlockedFrame : writeMaxStreamDataFrame)(writer, streamId, maximum),
        streamLimitFrameSize(streamId, maximum),
        { streamId, maximum },
      ),
    ),
  },
  {
    name: 'MAX_STREAMS and STREAMS_BLOCKED',
    types: [0x12, 0x13, 0x16, 0x17],
    arbitrary: fc.tuple(safe, fc.boolean(), fc.boolean()).map(([maximum, bidirectional, blocked]) =>
      frame(
        (writer) => (blocked ? writeStreamsBlockedFrame : writeMaxStreamsFrame)(writer, bidirectional, maximum),
        limitFrameSize(maximum),
        { streamId: -1, maximum },
      ),
    ),
  },
  {
    name: 'NEW_CONNECTION_ID',
    types: [0x18],
    arbitrary: fc
      .tuple(safe, safe, fc.uint8Array({ minLength: 1, maxLength: 20 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
      .map(([a, b, connectionId, statelessResetToken]) => {
        const sequence = Math.max(a, b)
        const retirePriorTo = Math.min(a, b)
        return frame(
          (writer) => writeNewConnectionIdFrame(writer, sequence, retirePriorTo, connectionId, statelessResetToken),
          newConnectionIdFrameSize(sequence, retirePriorTo, connectionId.length),
          { sequence, retirePriorTo, connectionId, statelessResetToken },
        )
      }),
  },
  {
    name: 'RETIRE_CONNECTION_ID',
    types: [0x19],
    arbitrary: safe.map((sequence) =>
      frame((writer) => writeRetireConnectionIdFrame(writer, sequence), retireConnectionIdFrameSize(sequence), { sequence }),
    ),
  },
  {
    name: 'PATH_CHALLENGE and PATH_RESPONSE',
    types: [0x1a, 0x1b],
    arbitrary: fc.tuple(fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.boolean()).map(([bytes, response]) =>
      frame((writer) => (response ? writePathResponseFrame : writePathChallengeFrame)(writer, bytes), PATH_FRAME_SIZE, { data: bytes }),
    ),
  },
  {
    name: 'CONNECTION_CLOSE',
    types: [0x1c, 0x1d],
    arbitrary: fc.tuple(fc.boolean(), wide, safe, text).map(([application, errorCode, type, reason]) => {
      const frameType = application ? 0 : type
      return frame(
        (writer) => void writeConnectionCloseFrame(writer, application, errorCode, type, reason),
        connectionCloseFrameSize(application, errorCode, type, Buffer.byteLength(reason)),
        { application, errorCode, frameType, reason },
      )
    }),
  },
  {
    name: 'DATAGRAM',
    types: [0x30, 0x31],
    arbitrary: fc.tuple(data, fc.boolean()).map(([bytes, explicit]) =>
      explicit
        ? frame((writer) => writeDatagramFrame(writer, bytes), datagramFrameSize(bytes.length), { data: bytes })
        : frame(
            (writer) => {
              writer.u8(0x30)
              writer.bytes(bytes)
            },
            1 + bytes.length,
            { data: bytes },
            1,
          ),
    ),
  },
  {
    name: 'ACK_FREQUENCY',
    types: [0xaf],
    arbitrary: fc.tuple(wide, safe, safe, safe).map(([sequence, ackElicitingThreshold, maxAckDelay, reorderingThreshold]) => {
      const encoded = frame(
        (writer) => writeAckFrequencyFrame(writer, sequence, ackElicitingThreshold, maxAckDelay, reorderingThreshold),
        ackFrequencyFrameSize(sequence, ackElicitingThreshold, maxAckDelay, reorderingThreshold),
        { sequence, ackElicitingThreshold, maxAckDelay, reorderingThreshold },
      )
      return { ...encoded, bytes: encoded.bytes.subarray(1), size: encoded.size - 1 }
    }),
  },
]
