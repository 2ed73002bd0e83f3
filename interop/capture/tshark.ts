// The same captures as Wireshark reads them: a second opinion by a parser and a key schedule that are not ours. Datagrams with long
// headers are read in full (PDML); the many with only a short one by their fields, which is some ten times as fast.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { FrameRecord } from '../../packages/quic/src/trace/sink.ts'
import { FrameType } from '../../packages/quic/src/wire/constants.ts'
import { RUNNER_HOSTS, endpointName, type CaptureHosts, type CapturedDatagram, type CapturedPacket, type Sender } from './datagram.ts'
import { PdmlReader, isTrue, type PdmlPacket } from './pdml.ts'

/** Ports of servers under test; 4443 is the usual one of preferred addresses. */
const PORTS: readonly number[] = [443, 4443]
const MAX_COMPLAINT = 2000

export class TsharkError extends Error {
  override readonly name: string = 'TsharkError'
  readonly code: string = 'TSHARK_FAILED'
}

export interface TsharkOptions {
  readonly keyLog: string | null
  readonly hosts?: CaptureHosts
  readonly ports?: readonly number[]
}

/** Its version, such as `4.0.17`; null: not installed. */
export async function tsharkVersion(): Promise<string | null> {
  let version: string | null = null
  try {
    await run(['--version'], (line) => {
      version ??= /^TShark \(Wireshark\) (\S+?)\.? /.exec(`${line} `)?.[1] ?? null
    })
  } catch {
    return null
  }
  return version
}

/** Throws TsharkError. */
export async function readWithTshark(file: string, options: TsharkOptions): Promise<readonly CapturedDatagram[]> {
  const hosts = options.hosts ?? RUNNER_HOSTS
  const common = ['-n', '-r', file, '--disable-protocol', 'http3', ...(options.ports ?? PORTS).flatMap((port) => ['-d', `udp.port==${port},quic`])]
  if (options.keyLog !== null) common.push('-o', `tls.keylog_file:${options.keyLog}`)
  const full = new Map<number, CapturedDatagram>()
  const brief: CapturedDatagram[] = []
  const reader = new PdmlReader()
  await Promise.all([
    run([...common, '-Y', 'quic.header_form == 1', '-T', 'pdml'], (line) => {
      const packet = reader.line(line)
      const datagram = packet === null ? null : fromPdml(packet, hosts)
      if (datagram !== null) full.set(datagram.frame, datagram)
    }),
    run([...common, '-Y', 'quic', '-T', 'fields', ...FIELDS.flatMap((name) => ['-e', name])], (line) => {
      const datagram = fromFields(line.split('\t'), hosts)
      if (datagram !== null) brief.push(datagram)
    }),
  ])
  return brief.map((datagram) => full.get(datagram.frame) ?? datagram)
}

const FIELDS = [
  'frame.number',
  'frame.time_epoch',
  'ip.src',
  'ip.dst',
  'ipv6.src',
  'ipv6.dst',
  'udp.srcport',
  'udp.dstport',
  'udp.length',
  'ip.dsfield.ecn',
  'ipv6.tclass.ecn',
  'quic.packet_length',
  'quic.dcid',
  'quic.packet_number',
  'quic.packet_number_length',
  'quic.key_phase',
  'quic.frame_type',
  'quic.path_challenge.data',
  'quic.path_response.data',
  'quic.ack.ect0_count',
  'quic.decryption_failed',
] as const

type Field = (typeof FIELDS)[number]

function fromPdml({ outer, quic }: PdmlPacket, hosts: CaptureHosts): CapturedDatagram | null {
  return datagramOf((name) => outer.get(name) ?? '', quic, hosts)
}

/** A datagram with one packet, and that with a short header. */
function fromFields(values: readonly string[], hosts: CaptureHosts): CapturedDatagram | null {
  const get = (name: Field): string => values[FIELDS.indexOf(name)] ?? ''
  return datagramOf(get, [shortPacket(get)], hosts)
}

function datagramOf(get: (name: Field) => string, packets: readonly CapturedPacket[], hosts: CaptureHosts): CapturedDatagram | null {
  const ipVersion = get('ip.src') === '' ? 6 : 4
  const addresses = ipVersion === 4 ? [get('ip.src'), get('ip.dst')] : [get('ipv6.src'), get('ipv6.dst')]
  const ports = [Number(get('udp.srcport')), Number(get('udp.dstport'))]
  let sender: Sender = 'client'
  if (hosts.isServer(addresses[0]!, ports[0]!)) sender = 'server'
  else if (!hosts.isServer(addresses[1]!, ports[1]!)) return null
  return {
    frame: Number(get('frame.number')),
    time: milliseconds(get('frame.time_epoch')),
    sender,
    ipVersion,
    source: endpointName(addresses[0]!, ports[0]!),
    destination: endpointName(addresses[1]!, ports[1]!),
    ecn: Number(ipVersion === 4 ? get('ip.dsfield.ecn') : get('ipv6.tclass.ecn')),
    length: Number(get('udp.length')) - 8,
    packets,
  }
}

/** By the same sum as readPcap(): of seconds with nine decimals a double keeps less than that. */
function milliseconds(epoch: string): number {
  const [seconds, fraction] = epoch.split('.')
  return Number(seconds) * 1000 + Number((fraction ?? '').padEnd(9, '0')) / 1e6
}

function shortPacket(get: (name: Field) => string): CapturedPacket {
  const destinationId = hex(get('quic.dcid'))
  const decrypted = get('quic.key_phase') !== '' && get('quic.decryption_failed') === ''
  const behindId = Number(get('quic.packet_length')) - 1 - destinationId.length / 2
  return {
    type: '1-rtt',
    version: 0,
    destinationId,
    sourceId: '',
    token: '',
    packetNumber: decrypted ? Number(get('quic.packet_number')) : -1,
    keyPhase: decrypted ? (isTrue(get('quic.key_phase')) ? 1 : 0) : null,
    decrypted,
    payloadLength: decrypted ? behindId - Number(get('quic.packet_number_length')) - 1 : behindId,
    frames: decrypted ? framesOf(get) : [],
    messages: [],
    repeatsCrypto: false,
  }
}

function framesOf(get: (name: Field) => string): FrameRecord[] {
  const data = { [FrameType.pathChallenge]: list(get('quic.path_challenge.data')), [FrameType.pathResponse]: list(get('quic.path_response.data')) }
  const ect0 = list(get('quic.ack.ect0_count'))
  const frames: FrameRecord[] = []
  for (const text of list(get('quic.frame_type'))) {
    const type = Number(text)
    if (type === FrameType.pathChallenge || type === FrameType.pathResponse) frames.push({ type, data: Buffer.from(hex(data[type].shift() ?? ''), 'hex') })
    else if (type === FrameType.ackEcn) frames.push({ type, ect0: Number(ect0.shift() ?? '0') })
    else if (type !== FrameType.padding) frames.push({ type })
  }
  return frames
}

function list(text: string): string[] {
  return text === '' ? [] : text.split(',')
}

function hex(text: string): string {
  return text.replaceAll(':', '').toLowerCase()
}

async function run(args: readonly string[], onLine: (line: string) => void): Promise<void> {
  const child = spawn('tshark', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (complaint.length < MAX_COMPLAINT) complaint += text
  })
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('error', (error) => reject(new TsharkError(`tshark cannot be started: ${error.message}`, { cause: error })))
    child.once('close', resolve)
  })
  const lines = createInterface({ input: child.stdout, crlfDelay: Infinity })
  lines.on('line', onLine)
  const read = new Promise<void>((resolve) => lines.once('close', resolve))
  const status = await exited
  await read
  if (status !== 0) throw new TsharkError(`tshark ended with ${status}: ${complaint.trim()}`)
}
