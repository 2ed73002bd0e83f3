import { nameHash } from './field-hash.ts'
import { STATIC_TABLE } from './static-table.ts'

/** Looking field lines up in the static table: the name by a perfect hash, the value among the few of that name. */

interface StaticName {
  readonly name: string
  /** The lowest index with this name. */
  readonly index: number
  readonly values: readonly string[]
  readonly indexes: readonly number[]
}

function buildSlots(): readonly (StaticName | null)[] {
  const slots: (StaticName | null)[] = Array.from({ length: 256 }, () => null)
  STATIC_TABLE.forEach(([name, value], index) => {
    const slot = nameHash(name) >>> 24
    const known = slots[slot] ?? null
    if (known !== null && known.name !== name) throw new Error(`names ${known.name} and ${name} share a slot: nameHash needs other multipliers`)
    const values = known === null ? [value] : [...known.values, value]
    const indexes = known === null ? [index] : [...known.indexes, index]
    slots[slot] = { name, index: known === null ? index : known.index, values, indexes }
  })
  return slots
}

const SLOTS: readonly (StaticName | null)[] = /* @__PURE__ */ buildSlots()

/** Lowest index with this name, given its `nameHash`; -1 when there is none. */
export function staticNameMatch(name: string, hash: number): number {
  const entry = SLOTS[hash >>> 24]!
  return entry !== null && entry.name === name ? entry.index : -1
}

/** Index of the entry with this value and the name whose `nameHash` is given and which `staticNameMatch` has found; -1 when there is none. */
export function staticValueMatch(hash: number, value: string): number {
  const entry = SLOTS[hash >>> 24]!
  const values = entry!.values
  for (let i = 0; i < values.length; i += 1) if (values[i] === value) return entry!.indexes[i]!
  return -1
}
