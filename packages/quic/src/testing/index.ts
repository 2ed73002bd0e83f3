// `@quicwire/quic/testing`: a deterministic network in memory for anything with a connection's verbs.

export { Clock } from './clock.ts'
export { EndpointNode, type EndpointNodeHooks, type SimulatedConnection, type SimulatedEndpoint } from './endpoint-node.ts'
export { SimulationFailure } from './failure.ts'
export { Link, type DropReason, type EcnCodepoint, type LinkConditions, type LinkCounters, type LinkVerdict } from './link.ts'
export { anyOf, blackhole, burstLoss, dropList, randomLoss, type LossModel, type LossModelFactory } from './loss-model.ts'
export { Network, type DatagramFilter, type NetworkOptions, type ObservedDatagram, type RunLimits } from './network.ts'
export { TransmitSlot, type SimulatedNode, type SimulatedPath, type SimulatedTransmit } from './node.ts'
export { Schedule } from './schedule.ts'
export { scenarios, type ScenarioName } from './scenarios.ts'
export { SeededRandom } from './seeded-random.ts'
export { TraceLog, type TraceEntry } from './trace-log.ts'
