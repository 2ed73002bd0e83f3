/** qlog output: `new QlogTrace(text => file.write(text), { vantagePoint: 'server' })` as a connection's trace. */
export type { QlogOptions } from './qlog-trace.ts'
export { QlogTrace } from './qlog-trace.ts'
