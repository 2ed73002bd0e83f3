// PATH_CHALLENGE and PATH_RESPONSE (RFC 9000 §8.2): a challenge is answered on the path it came on.

import type { Path } from '../../path/path.ts'
import { FrameType } from '../../wire/constants.ts'
import { readPathFrame } from '../../wire/frames/path.ts'
import type { ConnectionCore } from '../core.ts'

export function onPathFrame(core: Pick<ConnectionCore, 'paths' | 'receiving'>, type: number, path: Path): void {
  readPathFrame(core.receiving.reader, type, core.receiving.path)
  const { data } = core.receiving.path
  if (type === FrameType.pathChallenge) path.oweResponse(data)
  else core.paths.onPathResponse(data)
}
