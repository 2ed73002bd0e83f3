// PATH_CHALLENGE and PATH_RESPONSE (RFC 9000 §8.2): a challenge is answered on the path it came on.

import type { Path } from '../../path/path.ts'
import { FrameType } from '../../wire/constants.ts'
import { readPathFrame } from '../../wire/frames/path.ts'
import type { ConnectionCore } from '../core.ts'
import { onPathValidated } from '../migration.ts'

export function onPathFrame(core: ConnectionCore, type: number, path: Path, now: number): void {
  readPathFrame(core.receiving.reader, type, core.receiving.path)
  const { data } = core.receiving.path
  if (type === FrameType.pathChallenge) {
    path.oweResponse(data)
    return
  }
  const validated = core.paths.onPathResponse(data, now)
  if (validated !== null) onPathValidated(core, validated, now)
}
