// A light tokenizer for TypeScript sources: enough to look at identifiers, punctuation and imports with comments,
// strings, templates and regular expressions set apart. It does not parse; the rules in check-layers.ts match on
// neighbouring tokens.

export type TokenKind = 'identifier' | 'number' | 'bigint' | 'string' | 'template' | 'regex' | 'punctuation'

export interface Token {
  readonly kind: TokenKind
  /** The source text; for strings the content without quotes. */
  readonly text: string
  /** 1-based. */
  readonly line: number
}

export interface ImportReference {
  readonly specifier: string
  readonly line: number
}

const identifierStart = /[\p{ID_Start}$_#]/u
const identifierPart = /[\p{ID_Continue}$\u200c\u200d]/u
// After one of these words a slash starts a regular expression, after any other word it divides.
const wordsBeforeRegex = new Set([
  'return', 'typeof', 'case', 'in', 'of', 'delete', 'void', 'throw', 'new', 'else', 'do', 'await', 'yield', 'instanceof', 'default', 'extends',
])

export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  // One entry per open template expression: how many braces are open inside it.
  const templateBraces: number[] = []
  let position = 0
  let line = 1

  const push = (kind: TokenKind, text: string, at: number): void => {
    tokens.push({ kind, text, line: at })
  }
  const skipTo = (end: number): void => {
    for (; position < end; position++) if (source[position] === '\n') line++
  }
  const readTemplate = (): void => {
    const at = line
    const start = position
    while (position < source.length) {
      const character = source[position]
      if (character === '\\') {
        skipTo(position + 2)
      } else if (character === '`') {
        push('template', source.slice(start, position), at)
        position++
        return
      } else if (character === '$' && source[position + 1] === '{') {
        push('template', source.slice(start, position), at)
        position += 2
        templateBraces.push(0)
        return
      } else {
        skipTo(position + 1)
      }
    }
  }
  const regexMayStart = (): boolean => {
    const last = tokens.at(-1)
    if (last === undefined) return true
    if (last.kind === 'identifier') return wordsBeforeRegex.has(last.text)
    return last.kind === 'punctuation' && last.text !== ')' && last.text !== ']' && last.text !== '}'
  }

  if (source.startsWith('#!')) skipTo(Math.max(source.indexOf('\n'), 0))
  while (position < source.length) {
    const character = source[position]!
    const next = source[position + 1]
    if (character === '\n' || character === ' ' || character === '\t' || character === '\r' || character === '\ufeff') {
      skipTo(position + 1)
    } else if (character === '/' && next === '/') {
      const end = source.indexOf('\n', position)
      skipTo(end < 0 ? source.length : end)
    } else if (character === '/' && next === '*') {
      const end = source.indexOf('*/', position + 2)
      skipTo(end < 0 ? source.length : end + 2)
    } else if (character === '"' || character === "'") {
      let end = position + 1
      while (end < source.length && source[end] !== character && source[end] !== '\n') end += source[end] === '\\' ? 2 : 1
      push('string', source.slice(position + 1, end), line)
      skipTo(end + 1)
    } else if (character === '`') {
      position++
      readTemplate()
    } else if (character === '/' && regexMayStart()) {
      let end = position + 1
      for (let inClass = false; end < source.length && source[end] !== '\n'; end++) {
        if (source[end] === '\\') end++
        else if (source[end] === '[') inClass = true
        else if (source[end] === ']') inClass = false
        else if (source[end] === '/' && !inClass) break
      }
      for (end++; end < source.length && identifierPart.test(source[end]!);) end++
      push('regex', source.slice(position, end), line)
      skipTo(end)
    } else if (/[0-9]/.test(character) || (character === '.' && next !== undefined && /[0-9]/.test(next))) {
      const text = /^(?:0[xob][\da-f_]+n?|[\d_]*\.?[\d_]*(?:e[+-]?[\d_]+)?n?)/i.exec(source.slice(position, position + 400))![0]
      push(text.endsWith('n') ? 'bigint' : 'number', text, line)
      position += text.length
    } else if (identifierStart.test(character)) {
      let end = position + 1
      while (end < source.length && identifierPart.test(source[end]!)) end++
      push('identifier', source.slice(position, end), line)
      position = end
    } else {
      if (templateBraces.length > 0 && character === '{') templateBraces[templateBraces.length - 1]!++
      if (templateBraces.length > 0 && character === '}') {
        if (templateBraces.at(-1) === 0) {
          templateBraces.pop()
          position++
          readTemplate()
          continue
        }
        templateBraces[templateBraces.length - 1]!--
      }
      const text = source.startsWith('...', position) ? '...' : source.startsWith('?.', position) ? '?.' : source.startsWith('=>', position) ? '=>' : character
      push('punctuation', text, line)
      position += text.length
    }
  }
  return tokens
}

/** Every module a file refers to: `import`, `import type`, `export … from`, `import()` and `import('x').Type`. */
export function importsOf(tokens: readonly Token[]): ImportReference[] {
  const found: ImportReference[] = []
  for (let index = 1; index < tokens.length; index++) {
    const token = tokens[index]!
    if (token.kind !== 'string') continue
    const before = tokens[index - 1]!
    const beforeThat = tokens[index - 2]
    const plain = before.kind === 'identifier' && (before.text === 'from' || before.text === 'import') && beforeThat?.text !== '.'
    const call = before.text === '(' && beforeThat?.kind === 'identifier' && beforeThat.text === 'import'
    if (plain || call) found.push({ specifier: token.text, line: token.line })
  }
  return found
}
