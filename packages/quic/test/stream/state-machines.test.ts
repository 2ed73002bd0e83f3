// RFC 9000 §3.1 and §3.2 as two tables: every state against every frame, verb and delivery outcome, with what goes on the wire.
// The states are reached and left through public verbs; states.test.ts has the bare transition tables.

import { describe, expect, it } from 'vitest'
import { FlowClock, FlowReceiver } from '../../src/stream/flow-receiver.ts'
import { RecvState } from '../../src/stream/recv-state.ts'
import { RecvStream } from '../../src/stream/recv-stream.ts'
import { SendState } from '../../src/stream/send-state.ts'
import { Streams } from '../../src/stream/streams.ts'
import { FrameType } from '../../src/wire/constants.ts'
import { TransportError } from '../../src/wire/transport-error.ts'
import type { TestPacket } from '../delivery/packet.ts'
import { ack, lose, patternBytes, receiveFrames, writePacket } from '../delivery/packet.ts'

const CODE = 7

function nameOf(states: Readonly<Record<string, number>>, state: number): string {
  return Object.entries(states).find(([, value]) => value === state)?.[0] ?? String(state)
}

/** A sending half in some state, with the packets that took it there. */
class Sender {
  readonly streams: Streams
  readonly id: number
  readonly data: TestPacket[]
  readonly resets: TestPacket[]

  constructor() {
    const limits = { initialMaxStreamDataBidiLocal: 1000, initialMaxStreamDataBidiRemote: 1000, initialMaxStreamDataUni: 1000 }
    const local = { ...limits, initialMaxData: 10_000, initialMaxStreamsBidi: 5, initialMaxStreamsUni: 5, resetStreamAt: true }
    this.streams = new Streams({ role: 'client', local, maxConnectionWindow: 10_000, maxStreamWindow: 1000 })
    this.streams.setPeerLimits(local)
    // Bidirectional: the other half stays open, so that the stream is not removed when this one is done.
    this.id = this.streams.open(true)
    this.data = []
    this.resets = []
  }

  write(length: number, fin: boolean): void {
    this.streams.write(this.id, patternBytes(this.id, 0, length), 0, length, fin)
  }

  flush(into: TestPacket[]): string {
    let sent = ''
    while (this.streams.wantsToSend()) {
      const packet = writePacket(this.streams)
      into.push(packet)
      for (const frame of receiveFrames(packet.bytes(), null)) sent += letter(frame.type, frame.fin === true)
    }
    return sent
  }

  state(): string {
    return nameOf(SendState, this.streams.sendState(this.id))
  }
}

function letter(type: number, fin: boolean): string {
  if (type === FrameType.stream) return fin ? 'F' : 'S'
  return { [FrameType.resetStream]: 'R', [FrameType.resetStreamAt]: 'A' }[type] ?? `?${type}`
}

const sendStates: Readonly<Record<keyof typeof SendState, (half: Sender) => void>> = {
  ready: () => undefined,
  send: (half) => {
    half.write(10, false)
    half.flush(half.data)
  },
  dataSent: (half) => {
    half.write(10, true)
    half.flush(half.data)
  },
  resetSent: (half) => {
    sendStates.send(half)
    half.streams.reset(half.id, CODE)
    half.flush(half.resets)
  },
  dataRecvd: (half) => {
    sendStates.dataSent(half)
    for (const packet of half.data) ack(half.streams, packet)
  },
  resetRecvd: (half) => {
    sendStates.resetSent(half)
    for (const packet of half.resets) ack(half.streams, packet)
  },
}

const sendEvents: Readonly<Record<string, (half: Sender) => void>> = {
  write: (half) => half.write(5, false),
  end: (half) => half.write(0, true),
  reset: (half) => half.streams.reset(half.id, CODE),
  resetAt: (half) => void half.streams.resetAt(half.id, CODE, 0),
  STOP_SENDING: (half) => half.streams.onStopSending(half.id, CODE),
  MAX_STREAM_DATA: (half) => half.streams.onMaxStreamData(half.id, 5000),
  'data acked': (half) => half.data.forEach((packet) => ack(half.streams, packet)),
  'data lost': (half) => half.data.forEach((packet) => lose(half.streams, packet)),
  'reset acked': (half) => half.resets.forEach((packet) => ack(half.streams, packet)),
  'reset lost': (half) => half.resets.forEach((packet) => lose(half.streams, packet)),
}

describe('the sending part (RFC 9000 §3.1)', () => {
  // State, and frames sent: S STREAM, F STREAM with FIN, R RESET_STREAM, A RESET_STREAM_AT.
  const still = (state: string): Record<string, string> => Object.fromEntries(Object.keys(sendEvents).map((event) => [event, state]))
  const table: Readonly<Record<keyof typeof SendState, Record<string, string>>> = {
    ready: { ...still('ready'), write: 'send S', end: 'dataSent F', reset: 'resetSent R', resetAt: 'dataSent A', STOP_SENDING: 'resetSent R' },
    send: {
      ...still('send'), write: 'send S', end: 'dataSent F', reset: 'resetSent R', resetAt: 'dataSent A', STOP_SENDING: 'resetSent R',
      'data lost': 'send S',
    },
    dataSent: {
      ...still('dataSent'), reset: 'resetSent R', resetAt: 'dataSent A', STOP_SENDING: 'resetSent R',
      'data acked': 'dataRecvd', 'data lost': 'dataSent F',
    },
    resetSent: { ...still('resetSent'), 'reset acked': 'resetRecvd', 'reset lost': 'resetSent R' },
    dataRecvd: still('dataRecvd'),
    resetRecvd: still('resetRecvd'),
  }
  for (const [state, enter] of Object.entries(sendStates)) {
    it.each(Object.keys(sendEvents))(`${state}: %s`, (event) => {
      const half = new Sender()
      enter(half)
      expect(half.state()).toBe(state)
      sendEvents[event]!(half)
      const sent = half.flush([])
      expect(`${half.state()} ${sent}`.trim()).toBe(table[state as keyof typeof SendState][event])
    })
  }
})

/** A receiving half that has been sent, or will be, 20 bytes. */
class Receiver {
  readonly half: RecvStream
  readonly connection: FlowReceiver

  constructor() {
    const clock = new FlowClock()
    this.connection = new FlowReceiver(1000, 1000, clock)
    this.half = new RecvStream(1000, 1000, clock, this.connection)
  }

  data(start: number, end: number, fin: boolean = false): void {
    this.half.onStream(start, patternBytes(0, start, end - start), 0, end - start, fin, 0x0e)
  }

  read(): void {
    const readable = this.half.stopped ? 0 : this.half.data.readable()
    if (readable > 0) this.half.consume(readable)
  }

  state(): string {
    return nameOf(RecvState, this.half.state)
  }
}

const recvStates: Readonly<Record<keyof typeof RecvState, (receiver: Receiver) => void>> = {
  recv: (receiver) => receiver.data(0, 10),
  sizeKnown: (receiver) => receiver.data(10, 20, true),
  dataRecvd: (receiver) => receiver.data(0, 20, true),
  resetRecvd: (receiver) => void receiver.half.onReset(CODE, 20),
  dataRead: (receiver) => {
    receiver.data(0, 20, true)
    receiver.read()
  },
  resetRead: (receiver) => {
    receiver.half.onReset(CODE, 20)
    receiver.half.onResetRead()
  },
}

const recvEvents: Readonly<Record<string, (receiver: Receiver) => void>> = {
  'STREAM, known bytes': (receiver) => receiver.data(5, 10),
  'STREAM, everything': (receiver) => receiver.data(0, 20, true),
  'STREAM, FIN alone': (receiver) => receiver.data(20, 20, true),
  'STREAM, beyond': (receiver) => receiver.data(20, 25),
  'STREAM, FIN beyond': (receiver) => receiver.data(25, 25, true),
  RESET_STREAM: (receiver) => void receiver.half.onReset(CODE, 20),
  'RESET_STREAM, larger': (receiver) => void receiver.half.onReset(CODE, 25),
  'RESET_STREAM_AT all': (receiver) => void receiver.half.onResetAt(CODE, 20, 20),
  'RESET_STREAM_AT half': (receiver) => void receiver.half.onResetAt(CODE, 20, 10),
  'RESET_STREAM_AT none': (receiver) => void receiver.half.onResetAt(CODE, 20, 0),
  'RESET_STREAM_AT, larger': (receiver) => void receiver.half.onResetAt(CODE, 25, 0),
  stop: (receiver) => void receiver.half.stop(CODE),
  read: (receiver) => receiver.read(),
  'reset told': (receiver) => receiver.half.onResetRead(),
}

describe('the receiving part (RFC 9000 §3.2)', () => {
  const still = (state: string): Record<string, string> => Object.fromEntries(Object.keys(recvEvents).map((event) => [event, state]))
  const FINAL_SIZE = {
    'STREAM, beyond': 'FINAL_SIZE_ERROR',
    'STREAM, FIN beyond': 'FINAL_SIZE_ERROR',
    'RESET_STREAM, larger': 'FINAL_SIZE_ERROR',
    'RESET_STREAM_AT, larger': 'FINAL_SIZE_ERROR',
  }
  const table: Readonly<Record<keyof typeof RecvState, Record<string, string>>> = {
    recv: {
      ...still('recv'),
      'STREAM, everything': 'dataRecvd', 'STREAM, FIN alone': 'sizeKnown', 'STREAM, FIN beyond': 'sizeKnown',
      RESET_STREAM: 'resetRecvd', 'RESET_STREAM, larger': 'resetRecvd', 'RESET_STREAM_AT all': 'sizeKnown',
      'RESET_STREAM_AT half': 'dataRecvd', 'RESET_STREAM_AT none': 'dataRecvd', 'RESET_STREAM_AT, larger': 'dataRecvd',
    },
    sizeKnown: {
      ...still('sizeKnown'), ...FINAL_SIZE, 'STREAM, everything': 'dataRecvd', RESET_STREAM: 'resetRecvd',
      // Nothing is readable that would have to be read first.
      'RESET_STREAM_AT none': 'dataRead', stop: 'dataRead',
    },
    dataRecvd: { ...still('dataRecvd'), ...FINAL_SIZE, stop: 'dataRead', read: 'dataRead' },
    resetRecvd: { ...still('resetRecvd'), ...FINAL_SIZE, 'reset told': 'resetRead' },
    dataRead: { ...still('dataRead'), ...FINAL_SIZE },
    resetRead: { ...still('resetRead'), ...FINAL_SIZE },
  }
  for (const [state, enter] of Object.entries(recvStates)) {
    it.each(Object.keys(recvEvents))(`${state}: %s`, (event) => {
      const receiver = new Receiver()
      enter(receiver)
      expect(receiver.state()).toBe(state)
      let outcome = ''
      try {
        recvEvents[event]!(receiver)
        outcome = receiver.state()
      } catch (error) {
        if (!(error instanceof TransportError)) throw error
        outcome = error.code.replace('QUIC_', '')
      }
      expect(outcome).toBe(table[state as keyof typeof RecvState][event])
      // When the half is done, the connection has all of its credit back (RFC 9000 §4.5).
      if (outcome === 'dataRead' || outcome === 'resetRead') expect(receiver.connection.consumed).toBe(20)
      expect(receiver.connection.consumed).toBeLessThanOrEqual(receiver.connection.received)
    })
  }
})
