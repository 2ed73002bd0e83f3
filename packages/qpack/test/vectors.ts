import { readFileSync } from 'node:fs'

export function vectors<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(`../../../test-vectors/${path}`, import.meta.url), 'utf8')) as T
}

export function bytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.replaceAll(' ', '').match(/../g) ?? [], (pair) => parseInt(pair, 16))
}

export function hex(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
