// The files of a run: random bytes under random names, as the runner makes them.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SeededRandom } from '@quicwire/quic/testing'
import type { WantedFile } from '../cases/case.ts'

const WORDS: readonly string[] = [
  'amber', 'anchor', 'arrow', 'autumn', 'bamboo', 'basket', 'beacon', 'birch', 'bridge', 'bronze', 'candle', 'canyon', 'cedar', 'cloud', 'cobalt',
  'copper', 'coral', 'cotton', 'delta', 'desert', 'ember', 'falcon', 'feather', 'fern', 'forest', 'garden', 'ginger', 'glacier', 'granite', 'harbor',
  'hazel', 'heron', 'island', 'ivory', 'jasper', 'kettle', 'lantern', 'laurel', 'lemon', 'lilac', 'linen', 'maple', 'marble', 'meadow', 'mirror',
  'nectar', 'oak', 'ocean', 'olive', 'onyx', 'orchid', 'pebble', 'pepper', 'pine', 'prairie', 'quartz', 'raven', 'river', 'saffron', 'sparrow',
]

/** Three words, or as many letters as the file asks for. */
function nameOf({ nameLength }: WantedFile, random: SeededRandom): string {
  if (nameLength === undefined) return Array.from({ length: 3 }, () => WORDS[random.below(WORDS.length)]!).join('-')
  return Array.from({ length: nameLength }, () => String.fromCharCode(0x61 + random.below(26))).join('')
}

/** Writes them; their names, each different. */
export function writeWantedFiles(directory: string, files: readonly WantedFile[], random: SeededRandom): string[] {
  const names = new Set<string>()
  for (const file of files) {
    let name = nameOf(file, random)
    while (names.has(name)) name = nameOf(file, random)
    names.add(name)
    writeFileSync(join(directory, name), random.bytes(file.sizeBytes))
  }
  return [...names]
}
