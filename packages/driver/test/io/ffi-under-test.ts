// Whether this Node has the ffi socket, for tests that need it: they are skipped elsewhere, and their titles say why.

import { ffiSupport } from '../../src/io/ffi/availability.ts'

const support = ffiSupport()

export const hasFfi: boolean = support.available

/** For titles: empty, or why the test is skipped. */
export const ffiReason: string = support.available ? '' : ` [skipped: no node:ffi socket here (${support.reason})]`
