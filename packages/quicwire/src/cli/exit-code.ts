// The exit codes of the quicwire command. The help texts print this table; scripts may rely on it.

export const ExitCode = {
  success: 0,
  /** Something on this machine: port in use, unreadable file, bad certificate or key, output not writable. */
  local: 1,
  /** The command line itself. */
  usage: 2,
  /** `get --fail`: a response with status 400 or above. */
  httpStatus: 3,
  /** Name not resolved, nobody answered, or a timeout. */
  unreachable: 4,
  /** TLS or certificate failure. */
  tls: 5,
  /** The peer broke QUIC or HTTP/3, or cut a response short. */
  protocol: 6,
  /** Ended by SIGINT, as shells count it. */
  interrupted: 130,
} as const
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode]

export const exitCodeTable: readonly (readonly [code: ExitCode, meaning: string])[] = [
  [ExitCode.success, 'success'],
  [ExitCode.local, 'a problem on this machine: port in use, unreadable file, bad certificate or key'],
  [ExitCode.usage, 'a mistake on the command line'],
  [ExitCode.httpStatus, 'with --fail: a response with status 400 or above'],
  [ExitCode.unreachable, 'name not found, no answer, or a timeout'],
  [ExitCode.tls, 'TLS or certificate failure (the message says which check failed)'],
  [ExitCode.protocol, 'the peer broke the protocol or cut a response short'],
  [ExitCode.interrupted, 'interrupted (SIGINT)'],
]

/** An error that ends the command: one line for the user, and the code. */
export class CommandError extends Error {
  override readonly name: string = 'CommandError'
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.exitCode = exitCode
  }
}
