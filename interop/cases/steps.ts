// The runner's conditions, one by one. Each says which facts it rests on, whether those need a key log, and why it fails.

import { versionName } from '../../packages/quic/src/wire/version.ts'
import { VERSION_1, VERSION_2 } from '../../packages/quic/src/wire/constants.ts'
import type { RunRecord } from './case.ts'
import { compareDownloads } from './downloads.ts'
import type { Evidence } from './evidence.ts'
import * as facts from './facts.ts'

export interface Step {
  readonly facts: readonly facts.Fact[]
  readonly needsKeys: boolean
  /** Null: it holds. */
  judge(evidence: Evidence, run: RunRecord): string | null
}

const V1 = versionName(VERSION_1)
const V2 = versionName(VERSION_2)

/** Bytes the first flight of a nine-certificate chain has at least; with less the case proves nothing. */
const LEAST_LONG_FLIGHT = 7500
const MOST_STREAMS = 1000
/** Of 1-RTT bytes in zerortt: half of 40 names of 250 characters. */
const MOST_ONE_RTT_BYTES = 5000
const CHACHA20 = '0x1303'

function step(judge: Step['judge'], ...rests: readonly facts.Fact[]): Step {
  return { judge, facts: rests, needsKeys: false }
}

function keyedStep(judge: Step['judge'], ...rests: readonly facts.Fact[]): Step {
  return { judge, facts: rests, needsKeys: true }
}

export const filesArrive: Step = step((_evidence, run) => compareDownloads(run))

export function handshakes(expected: number): Step {
  return step((evidence) => {
    const ids = facts.handshakeIds.of(evidence)
    return ids.length === expected ? null : `${ids.length} handshakes, not ${expected}`
  }, facts.handshakeIds)
}

export const onlyVersion1: Step = step((evidence) => {
  const versions = facts.serverInitialVersions.of(evidence)
  return versions.length === 1 && versions[0] === V1 ? null : `server Initials have version ${list(versions)}, not only ${V1}`
}, facts.serverInitialVersions)

export const noRetry: Step = step((evidence) => (facts.retryTokens.of(evidence).length === 0 ? null : 'the server sent a Retry'), facts.retryTokens)

export const helloIsRepeated: Step = step((evidence) => {
  const count = facts.clientHellos.of(evidence)
  return count >= 2 ? null : `${count} ClientHellos, not 2 or more`
}, facts.clientHellos)

export const onlyChaCha20: Step = step((evidence) => {
  const suites = facts.offeredSuites.of(evidence)
  return suites.length === 1 && suites[0] === CHACHA20 ? null : `the client offers cipher suites ${list(suites)}, not only ${CHACHA20}`
}, facts.offeredSuites)

export const streamsAreLimited: Step = keyedStep((evidence) => {
  const limits = facts.streamLimits.of(evidence)
  if (limits.length === 0) return 'no initial_max_streams_bidi of the server'
  const most = Math.max(...limits)
  return most <= MOST_STREAMS ? null : `initial_max_streams_bidi is ${most}, above ${MOST_STREAMS}`
}, facts.streamLimits)

export const retryTokenIsUsed: Step = step((evidence) => {
  const tokens = facts.retryTokens.of(evidence)
  if (tokens.length === 0) return 'no Retry'
  if (tokens.includes('')) return 'a Retry without a token'
  let highestBefore = -1
  for (const { packetNumber, token } of facts.clientInitials.of(evidence)) {
    if (token === '') highestBefore = Math.max(highestBefore, packetNumber)
    else if (packetNumber <= highestBefore) return `packet number ${packetNumber} after the Retry, which is not above ${highestBefore}`
    else if (tokens.includes(token)) return null
  }
  return 'no client Initial with the token of a Retry'
}, facts.retryTokens, facts.clientInitials)

export const secondIsResumed: Step = keyedStep((evidence) => {
  const found = facts.serverCertificates.of(evidence)
  if (found.length !== 2) return `${found.length} Source Connection IDs in server Handshake packets, not 2`
  if (found[0]?.certificate !== true) return 'no Certificate in the first handshake'
  return found[1]?.certificate === true ? 'a Certificate in the second handshake' : null
}, facts.serverCertificates)

export const requestsAreEarly: Step = keyedStep((evidence) => {
  const early = facts.zeroRttBytes.of(evidence)
  if (early === 0) return 'no 0-RTT packet of the client'
  const late = facts.clientOneRttBytes.of(evidence)
  return late <= MOST_ONE_RTT_BYTES ? null : `${late} bytes of client 1-RTT payload, above ${MOST_ONE_RTT_BYTES}`
}, facts.zeroRttBytes, facts.clientOneRttBytes)

export const keysAreUpdated: Step = keyedStep((evidence) => {
  const { client, server } = facts.keyPhases.of(evidence)
  if (client.undecrypted + server.undecrypted > 0) return `${client.undecrypted} 1-RTT packets of the client and ${server.undecrypted} of the server cannot be decrypted`
  if (client.phase1 === 0) return 'no client packet of key phase 1'
  return server.phase1 === 0 ? 'no server packet of key phase 1' : null
}, facts.keyPhases)

const SENDERS = ['client', 'server'] as const

export const ecnIsUsed: Step = keyedStep((evidence) => {
  const use = facts.ecnUse.of(evidence)
  for (const sender of SENDERS) {
    const { ect0, ect1, ce } = use[sender]
    if (ect0 + ect1 === 0) return `no packet of the ${sender} is marked ECT`
    if (ce > 0) return `${ce} packets of the ${sender} are marked CE`
  }
  const silent = SENDERS.find((sender) => !use[sender].reported)
  return silent === undefined ? null : `no ACK with ECN counts of the ${silent}`
}, facts.ecnUse)

export const amplificationIsLimited: Step = keyedStep((evidence) => {
  const flight = facts.serverFlight.of(evidence)
  if (flight < LEAST_LONG_FLIGHT) return `the server's handshake flight has ${flight} bytes, below ${LEAST_LONG_FLIGHT}`
  // The runner tolerates four times what was received.
  let credit = 0
  for (const { sender, type, length } of facts.beforeValidation.of(evidence)) {
    if (type === 'version-negotiation' || type === 'unknown') return `a packet of the ${sender} of type ${type}`
    if (sender === 'client') {
      if (type === 'handshake') return null
      if (type === 'initial') credit += 4 * length
    } else {
      if (length >= credit) return `a server datagram of ${length} bytes with ${credit} left of four times what was received`
      credit -= length
    }
  }
  return 'no client datagram that begins with a Handshake packet'
}, facts.serverFlight, facts.beforeValidation)

export const onlyIpv6: Step = step((evidence) => {
  const count = facts.serverIpv4Datagrams.of(evidence)
  return count === 0 ? null : `${count} IPv4 packets of the server`
}, facts.serverIpv4Datagrams)

export const movesToVersion2: Step = step((evidence) => {
  const first = facts.clientInitialVersions.of(evidence)
  if (!first.includes(V1)) return `client Initials have version ${list(first)}, none ${V1}`
  const answer = facts.serverInitialVersions.of(evidence)
  if (!answer.includes(V2)) return `server Initials have version ${list(answer)}, none ${V2}`
  const settled = { client: facts.clientHandshakeVersions.of(evidence), server: facts.serverHandshakeVersions.of(evidence) }
  for (const sender of SENDERS) {
    const versions = settled[sender]
    if (versions.length !== 1 || versions[0] !== V2) return `Handshake packets of the ${sender} have version ${list(versions)}, not only ${V2}`
  }
  return null
}, facts.clientInitialVersions, facts.serverInitialVersions, facts.clientHandshakeVersions, facts.serverHandshakeVersions)

export const clientAddressChanges: Step = keyedStep((evidence) => {
  const addresses = facts.serverSeenAddresses.of(evidence)
  return addresses.length > 1 ? null : `the server saw the client at ${list(addresses)} only`
}, facts.serverSeenAddresses)

export const newPathsAreValidated: Step = keyedStep((evidence) => {
  const [, ...fresh] = facts.serverPaths.of(evidence)
  if (fresh.length === 0) return 'the server saw one path only'
  const unchallenged = fresh.find(({ challenges }) => challenges.length === 0)
  if (unchallenged !== undefined) return `no PATH_CHALLENGE in the first packet of the server on ${unchallenged.path}`
  const responses = new Set(facts.pathResponses.of(evidence))
  const unanswered = fresh.flatMap(({ challenges }) => challenges).filter((challenge) => !responses.has(challenge))
  return unanswered.length === 0 ? null : `no PATH_RESPONSE to ${list(unanswered)}`
}, facts.serverPaths, facts.pathResponses)

export const movesUseFreshIds: Step = keyedStep((evidence) => {
  const stale = facts.clientMoves.of(evidence).find(({ destinationId, destinationIdBefore }) => destinationId === destinationIdBefore)
  return stale === undefined ? null : `the client's first packet on ${stale.path} has the same Destination Connection ID as before`
}, facts.clientMoves)

export const versionIsNegotiated: Step = step((evidence) => {
  const answers = facts.negotiationAnswers.of(evidence)
  if (answers.length === 0) return 'no Version Negotiation'
  const asked = facts.clientDestinationIds.of(evidence)
  return answers.some((id) => asked.includes(id)) ? null : "no Version Negotiation with the client's Destination Connection ID as its source"
}, facts.negotiationAnswers)

export const transferIsTimed: Step = step((evidence) => (facts.transferTime.of(evidence) > 0 ? null : 'no two 1-RTT packets of the server'), facts.transferTime)

function list(values: readonly string[]): string {
  return values.length === 0 ? 'none' : values.join(', ')
}
