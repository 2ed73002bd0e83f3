// Decoding scratch of one connection, reused for every packet: nothing in it is valid beyond the frame or packet at hand.

import { AckFrame } from '../../wire/frames/ack.ts'
import { AckFrequencyFrame } from '../../wire/frames/ack-frequency.ts'
import { ConnectionCloseFrame } from '../../wire/frames/close.ts'
import { NewConnectionIdFrame, RetireConnectionIdFrame } from '../../wire/frames/connection-id.ts'
import { CryptoFrame } from '../../wire/frames/crypto.ts'
import { DatagramFrame } from '../../wire/frames/datagram.ts'
import { FlowControlFrame } from '../../wire/frames/flow-control.ts'
import { NewTokenFrame } from '../../wire/frames/new-token.ts'
import { PathFrame } from '../../wire/frames/path.ts'
import { ResetStreamFrame } from '../../wire/frames/reset-stream.ts'
import { ResetStreamAtFrame } from '../../wire/frames/reset-stream-at.ts'
import { StopSendingFrame } from '../../wire/frames/stop-sending.ts'
import { StreamFrame } from '../../wire/frames/stream.ts'
import { HeaderView } from '../../wire/header.ts'
import { Reader } from '../../wire/reader.ts'
import { AckOutcome } from '../../recovery/ack-processor.ts'

export class ReceiveScratch {
  readonly header: HeaderView
  readonly reader: Reader
  readonly ack: AckFrame
  readonly ackFrequency: AckFrequencyFrame
  readonly stream: StreamFrame
  readonly crypto: CryptoFrame
  readonly datagram: DatagramFrame
  readonly resetStream: ResetStreamFrame
  readonly resetStreamAt: ResetStreamAtFrame
  readonly stopSending: StopSendingFrame
  readonly flowControl: FlowControlFrame
  readonly newConnectionId: NewConnectionIdFrame
  readonly retireConnectionId: RetireConnectionIdFrame
  readonly newToken: NewTokenFrame
  readonly path: PathFrame
  readonly close: ConnectionCloseFrame
  readonly outcome: AckOutcome
  /** The ECN codepoint of the datagram at hand. */
  ecn: number
  /** When the packet at hand arrived, ms: before now if it had to wait for its keys. */
  receivedAt: number
  /** Of the packet at hand, after header protection is removed. */
  packetNumber: number
  payloadStart: number
  /** RFC 9000 §9.1: only probing frames so far. */
  probingOnly: boolean
  ackEliciting: boolean

  constructor() {
    this.header = new HeaderView()
    this.reader = new Reader()
    this.ack = new AckFrame()
    this.ackFrequency = new AckFrequencyFrame()
    this.stream = new StreamFrame()
    this.crypto = new CryptoFrame()
    this.datagram = new DatagramFrame()
    this.resetStream = new ResetStreamFrame()
    this.resetStreamAt = new ResetStreamAtFrame()
    this.stopSending = new StopSendingFrame()
    this.flowControl = new FlowControlFrame()
    this.newConnectionId = new NewConnectionIdFrame()
    this.retireConnectionId = new RetireConnectionIdFrame()
    this.newToken = new NewTokenFrame()
    this.path = new PathFrame()
    this.close = new ConnectionCloseFrame()
    this.outcome = new AckOutcome()
    this.ecn = 0
    this.receivedAt = 0
    this.packetNumber = -1
    this.payloadStart = 0
    this.probingOnly = true
    this.ackEliciting = false
  }
}
