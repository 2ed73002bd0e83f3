import { STATIC_TABLE } from './static-table.ts'

/** Looking field lines up in the static table without building a key: name first, then value. */

interface StaticName {
  /** The lowest index with this name. */
  readonly index: number
  readonly values: Map<string, number>
}

function buildIndex(): ReadonlyMap<string, StaticName> {
  const names = new Map<string, StaticName>()
  STATIC_TABLE.forEach(([name, value], index) => {
    let entry = names.get(name)
    if (entry === undefined) names.set(name, (entry = { index, values: new Map() }))
    if (!entry.values.has(value)) entry.values.set(value, index)
  })
  return names
}

const NAMES: ReadonlyMap<string, StaticName> = /* @__PURE__ */ buildIndex()

/** Index of the entry that matches name and value; -1 when there is none. */
export function staticMatch(name: string, value: string): number {
  return NAMES.get(name)?.values.get(value) ?? -1
}

/** Lowest index with this name; -1 when there is none. */
export function staticNameMatch(name: string): number {
  return NAMES.get(name)?.index ?? -1
}
