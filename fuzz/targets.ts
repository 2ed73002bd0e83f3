// All targets. A new parser of peer input gets one here.

import type { Target } from './target.ts'
import { h3Targets } from './targets/h3.ts'
import { qpackTargets } from './targets/qpack.ts'
import { tlsTargets } from './targets/tls.ts'
import { wireTargets } from './targets/wire.ts'

export const targets: readonly Target[] = [...tlsTargets, ...wireTargets, ...qpackTargets, ...h3Targets]
