// Nothing of the model's behaviour is left untested: every name of the catalogue stands in the title of a test.

import { readFileSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { CATALOGUE } from './catalogue.ts'

const packages = fileURLToPath(new URL('../..', import.meta.url))

function titles(): string[] {
  const found: string[] = []
  for (const name of ['driver', 'quic', 'quicwire']) {
    for (const file of readdirSync(`${packages}${name}/test`, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.test.ts')) continue
      const text = readFileSync(`${packages}${name}/test/${file}`, 'utf8')
      for (const match of text.matchAll(/\bit(?:\.[a-z]+\([^)]*\))?\(\s*(['"`])(.*?)\1,/g)) found.push(match[2]!)
    }
  }
  return found
}

describe('the catalogue', () => {
  const all = titles()

  it('has 86 entries', () => {
    expect(CATALOGUE).toHaveLength(86)
  })

  it('stands in titles, number and name', () => {
    const missing = CATALOGUE.map((name, i) => `[${i + 1}] ${name}`).filter((title) => !all.some((other) => other.includes(title)))
    expect(missing).toEqual([])
  })

  it('and so does every defect', () => {
    const missing = Array.from({ length: 27 }, (_, i) => `B${i + 1}`).filter((defect) => !all.some((title) => new RegExp(`\\b${defect}\\b`).test(title)))
    expect(missing).toEqual([])
  })
})
