// Faults that several stacks have, in the words of `Endpoint.faults`.

export const STAYS_AT_THE_FIRST_ADDRESS = "its client does not move to the server's preferred address, which RFC 9000 §9.6.1 says it SHOULD"
