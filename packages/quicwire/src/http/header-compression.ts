import type { ClientH3Driver, ServerH3Driver } from '@quicwire/driver'

/** What QPACK's dynamic tables (RFC 9204 §3.2) of both directions have been used for. */
export interface HeaderCompressionStats {
  /** Entries we put into the table at the peer. */
  readonly insertedByUs: number
  /** Those of them that the peer has said to have. */
  readonly insertionsAcknowledged: number
  /** Header and trailer sections we sent that refer to them. */
  readonly referringSectionsSent: number
  /** Entries the peer put into our table. */
  readonly insertedByPeer: number
  /** Sections received that refer to those. */
  readonly referringSectionsReceived: number
}

export const NO_HEADER_COMPRESSION: HeaderCompressionStats = {
  insertedByUs: 0,
  insertionsAcknowledged: 0,
  referringSectionsSent: 0,
  insertedByPeer: 0,
  referringSectionsReceived: 0,
}

export function headerCompression(driver: ClientH3Driver | ServerH3Driver): HeaderCompressionStats {
  const counters = driver.qpackCounters
  if (counters === null) return NO_HEADER_COMPRESSION
  return {
    insertedByUs: counters.encoderInserts,
    insertionsAcknowledged: counters.encoderInsertsReceived,
    referringSectionsSent: counters.encoderReferringSections,
    insertedByPeer: counters.decoderInserts,
    referringSectionsReceived: counters.decoderReferringSections,
  }
}

export function sumHeaderCompression(a: HeaderCompressionStats, b: HeaderCompressionStats): HeaderCompressionStats {
  return {
    insertedByUs: a.insertedByUs + b.insertedByUs,
    insertionsAcknowledged: a.insertionsAcknowledged + b.insertionsAcknowledged,
    referringSectionsSent: a.referringSectionsSent + b.referringSectionsSent,
    insertedByPeer: a.insertedByPeer + b.insertedByPeer,
    referringSectionsReceived: a.referringSectionsReceived + b.referringSectionsReceived,
  }
}
