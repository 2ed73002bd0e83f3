// Towards the application: body chunks, then trailers, then the end, as long as the stream's channel has room. A full channel
// stops reading, which stops the stream's flow-control credit, which stops the peer.

import { H3ErrorCode, type H3Connection } from '@quicwire/h3'
import type { BodyChunks } from './body-chunks.ts'
import { FIN_FRAME, type InboundFrame } from './frames.ts'
import { ReceiveHalf, type StreamContext } from './stream-context.ts'

export interface ReadSink {
  /** The connection has ended: what was received goes to the application whole, since nothing more will come. */
  readonly isEnding: boolean
  /** A chunk is about to be put in the channel; fin alone, with 0 bytes, once. */
  onBodyBytes(context: StreamContext, bytes: number, fin: boolean): void
  /** STOP_SENDING, and the end of the receive half. */
  stopReceiving(context: StreamContext, code: number): void
}

/** Moves what can be moved. The caller settles the stream afterwards if its receive half is done. */
export function pumpReads(context: StreamContext, h3: H3Connection, chunks: BodyChunks, sink: ReadSink): void {
  if (sink.isEnding) return deliverRest(context, h3, chunks, sink)
  while (!context.isReceiveDone) {
    switch (context.inbound.tryReserve()) {
      case 'full':
        // The channel wakes us when there is room.
        return
      case 'closed':
        receiverGone(context, sink)
        return
      case 'reserved':
        break
    }
    const frame = nextFrame(context, h3, chunks, sink)
    if (frame === null) {
      context.inbound.release()
      return
    }
    context.inbound.commit(frame)
    if (frame === FIN_FRAME) context.endReceive(ReceiveHalf.finDelivered)
  }
}

function deliverRest(context: StreamContext, h3: H3Connection, chunks: BodyChunks, sink: ReadSink): void {
  while (!context.isReceiveDone) {
    const frame = nextFrame(context, h3, chunks, sink)
    if (frame === null) return
    context.inbound.sendBeyond(frame)
    if (frame === FIN_FRAME) context.endReceive(ReceiveHalf.finDelivered)
  }
}

/** What goes into the channel next; null when there is nothing now. */
function nextFrame(context: StreamContext, h3: H3Connection, chunks: BodyChunks, sink: ReadSink): InboundFrame | null {
  const chunk = context.receive === ReceiveHalf.open ? chunks.read(h3, context.id) : null
  if (chunk !== null) {
    context.audit.downstreamBytesRecvd += chunk.length
    sink.onBodyBytes(context, chunk.length, false)
    return { kind: 'Body', data: chunk, fin: false }
  }
  if (context.trailers !== null) {
    const headers = context.trailers
    context.trailers = null
    return { kind: 'Trailers', headers }
  }
  return context.receive === ReceiveHalf.finWaiting ? FIN_FRAME : null
}

/** The application dropped its receiver. */
function receiverGone(context: StreamContext, sink: ReadSink): void {
  if (context.receive === ReceiveHalf.finWaiting) {
    context.endReceive(ReceiveHalf.finDelivered)
    return
  }
  // A tunnel's data travels in its flow; its stream lives until one side ends it.
  if (context.flowId >= 0) return
  sink.stopReceiving(context, H3ErrorCode.requestCancelled)
}
