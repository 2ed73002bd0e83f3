/** Frame types (RFC 9114 §11.2.1, RFC 9218 §7.2, RFC 9412 §2) and what may stand where (RFC 9114 §7.1, Table 1). */
export const FrameType = {
  data: 0x0,
  headers: 0x1,
  cancelPush: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  goaway: 0x7,
  origin: 0xc,
  maxPushId: 0xd,
  priorityUpdateRequest: 0xf0700,
  priorityUpdatePush: 0xf0701,
} as const

/** RFC 9114 §7.2.8: types of HTTP/2 frames that have no equivalent here; receiving one is H3_FRAME_UNEXPECTED. */
export function isHttp2FrameType(type: number): boolean {
  return type === 0x2 || type === 0x6 || type === 0x8 || type === 0x9
}

/**
 * A type whose place is fixed: elsewhere it is an error. Any other is skipped (RFC 9114 §9), ORIGIN off its control stream among them
 * (RFC 8336 §2.2: it MUST be ignored).
 */
export function isKnownFrameType(type: number): boolean {
  switch (type) {
    case FrameType.data:
    case FrameType.headers:
    case FrameType.cancelPush:
    case FrameType.settings:
    case FrameType.pushPromise:
    case FrameType.goaway:
    case FrameType.maxPushId:
    case FrameType.priorityUpdateRequest:
    case FrameType.priorityUpdatePush:
      return true
    default:
      return false
  }
}

export function frameName(type: number): string {
  for (const [name, value] of Object.entries(FrameType)) if (value === type) return name
  return `frame type 0x${type.toString(16)}`
}
