import { isTrueItem } from '../headers/capsule-head.ts'
import type { Header } from '../events.ts'

/**
 * Whether the fields say with `capsule-protocol: ?1` that the Capsule Protocol is in use (RFC 9297 §3.4). Anything but one Boolean item
 * counts as no field at all.
 */
export function usesCapsuleProtocol(headers: readonly Header[]): boolean {
  let value: string | null = null
  for (const [name, text] of headers) {
    if (name !== 'capsule-protocol') continue
    // Said twice, it is a List.
    if (value !== null) return false
    value = text
  }
  return value !== null && isTrueItem(value)
}
