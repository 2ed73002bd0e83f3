/**
 * Structured field values (RFC 8941 §4.2, with the two types of RFC 9651): dictionaries and items. Strict: the slightest fault makes the
 * whole value fail, which callers treat as a field that is not there. Parameters are checked and dropped.
 */

export type BareItem =
  | { readonly kind: 'integer' | 'decimal' | 'date'; readonly value: number }
  | { readonly kind: 'string' | 'token' | 'bytes' | 'display-string'; readonly value: string }
  | { readonly kind: 'boolean'; readonly value: boolean }

/** A dictionary's value. Of an inner list only its presence is kept. */
export type DictionaryMember = BareItem | { readonly kind: 'inner-list' }

const KEY = /[a-z*][a-z0-9_\-.*]*/y
const NUMBER = /-?(?:([0-9]{1,12}\.[0-9]{1,3})|([0-9]{1,15}))(?![0-9.])/y
const STRING = /"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y
const TOKEN = /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y
const BYTES = /:([A-Za-z0-9+/]*={0,2}):/y
const BOOLEAN = /\?([01])/y
const DATE = /@(-?[0-9]{1,15})(?![0-9.])/y
const DISPLAY_STRING = /%"((?:[\x20\x21\x23\x24\x26-\x7e]|%[0-9a-f]{2})*)"/y
const SPACES = / */y
const OPTIONAL_WHITESPACE = /[ \t]*/y

/** RFC 8941 §4.2.2. Null when it does not parse. The last value of a key counts. */
export function parseDictionary(text: string): Map<string, DictionaryMember> | null {
  const cursor = new Cursor(text)
  const members = new Map<string, DictionaryMember>()
  cursor.match(SPACES)
  while (!cursor.atEnd) {
    const key = cursor.match(KEY)
    if (key === null) return null
    const value = cursor.take('=') ? member(cursor) : TRUE
    if (value === null || !parameters(cursor)) return null
    members.set(key[0], value)
    cursor.match(OPTIONAL_WHITESPACE)
    if (cursor.atEnd) break
    if (!cursor.take(',')) return null
    cursor.match(OPTIONAL_WHITESPACE)
    if (cursor.atEnd) return null
  }
  return members
}

/** RFC 8941 §4.2.3. Null when it does not parse. */
export function parseItem(text: string): BareItem | null {
  const cursor = new Cursor(text)
  cursor.match(SPACES)
  const item = bareItem(cursor)
  if (item === null || !parameters(cursor)) return null
  cursor.match(SPACES)
  return cursor.atEnd ? item : null
}

const TRUE: BareItem = { kind: 'boolean', value: true }
const INNER_LIST: DictionaryMember = { kind: 'inner-list' }

function member(cursor: Cursor): DictionaryMember | null {
  return cursor.take('(') ? innerList(cursor) : bareItem(cursor)
}

function innerList(cursor: Cursor): DictionaryMember | null {
  for (;;) {
    cursor.match(SPACES)
    if (cursor.take(')')) return INNER_LIST
    if (bareItem(cursor) === null || !parameters(cursor)) return null
    const next = cursor.peek()
    if (next !== ' ' && next !== ')') return null
  }
}

function parameters(cursor: Cursor): boolean {
  while (cursor.take(';')) {
    cursor.match(SPACES)
    if (cursor.match(KEY) === null) return false
    if (cursor.take('=') && bareItem(cursor) === null) return false
  }
  return true
}

function bareItem(cursor: Cursor): BareItem | null {
  switch (cursor.peek()) {
    case '"': {
      const text = cursor.match(STRING)
      return text === null ? null : { kind: 'string', value: text[1]!.replaceAll(/\\(.)/g, '$1') }
    }
    case ':': {
      const bytes = cursor.match(BYTES)
      return bytes === null ? null : { kind: 'bytes', value: bytes[1]! }
    }
    case '?': {
      const bit = cursor.match(BOOLEAN)
      return bit === null ? null : { kind: 'boolean', value: bit[1] === '1' }
    }
    case '@': {
      const date = cursor.match(DATE)
      return date === null ? null : { kind: 'date', value: Number(date[1]) }
    }
    case '%':
      return displayString(cursor)
    default: {
      const number = cursor.match(NUMBER)
      if (number !== null) return { kind: number[1] === undefined ? 'integer' : 'decimal', value: Number(number[0]) }
      const token = cursor.match(TOKEN)
      return token === null ? null : { kind: 'token', value: token[0] }
    }
  }
}

function displayString(cursor: Cursor): BareItem | null {
  const text = cursor.match(DISPLAY_STRING)
  if (text === null) return null
  try {
    return { kind: 'display-string', value: decodeURIComponent(text[1]!) }
  } catch {
    // RFC 9651 §4.2.10: what the octets spell is not UTF-8.
    return null
  }
}

class Cursor {
  private readonly text: string
  private position: number

  constructor(text: string) {
    this.text = text
    // RFC 8941 §4.2: trailing spaces are no part of the value.
    let end = text.length
    while (end > 0 && text.charCodeAt(end - 1) === 0x20) end--
    if (end < text.length) this.text = text.slice(0, end)
    this.position = 0
  }

  get atEnd(): boolean {
    return this.position >= this.text.length
  }

  peek(): string {
    return this.text.charAt(this.position)
  }

  take(character: string): boolean {
    if (this.text.charAt(this.position) !== character) return false
    this.position++
    return true
  }

  match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.position
    const found = pattern.exec(this.text)
    if (found !== null) this.position += found[0].length
    return found
  }
}
