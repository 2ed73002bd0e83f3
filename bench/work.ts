// The work every stack is given, so that figures can stand side by side.

export const BULK_BYTES = 200 * 1024 * 1024
export const SMALL_BODY: Uint8Array = new Uint8Array(100).fill(0x61)
export const SMALL_REQUESTS = 10_000
export const CONCURRENCY = 64
export const HANDSHAKES = 200
export const IDLE_CONNECTIONS = 200
export const CHUNK: Uint8Array = new Uint8Array(64 * 1024).fill(0x62)

/** Settings of one run: a fixed datagram size, or 'found' for what path MTU discovery arrives at. */
export function datagramSettings(size: string): { datagramSize?: number; mtuDiscovery: boolean } {
  return size === 'found' ? { mtuDiscovery: true } : { datagramSize: Number(size), mtuDiscovery: false }
}

/** The bulk body in chunks a server would read from a file. */
export async function* bulkBody(): AsyncGenerator<Uint8Array, undefined> {
  for (let left = BULK_BYTES; left > 0; left -= CHUNK.length) yield left >= CHUNK.length ? CHUNK : CHUNK.subarray(0, left)
}

/** Runs `request` SMALL_REQUESTS times with CONCURRENCY under way; requests per second. */
export async function requestsPerSecond(request: () => Promise<void>): Promise<number> {
  let started = 0
  const runner = async (): Promise<void> => {
    while (started < SMALL_REQUESTS) {
      started += 1
      await request()
    }
  }
  const begin = performance.now()
  await Promise.all(Array.from({ length: CONCURRENCY }, runner))
  return SMALL_REQUESTS / ((performance.now() - begin) / 1000)
}

export function megabytesPerSecond(bytes: number, milliseconds: number): number {
  return bytes / 1e6 / (milliseconds / 1000)
}
