import { conformance } from './conformance.ts'
import { providers } from './provider-under-test.ts'

for (const provider of providers) conformance(provider.name, provider)
