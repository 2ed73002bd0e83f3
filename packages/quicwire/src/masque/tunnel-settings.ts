// What connections need that carry tunnels.

/**
 * The UDP payload sent at first, in bytes. A tunnelled QUIC connection needs datagrams of 1200 bytes at once (RFC 9000 §14), before any MTU
 * has been discovered; this leaves room for them in two tunnels, one in the other. Where a path takes less, the connection finds out and
 * falls back (RFC 8899 §4.3).
 */
export const TUNNEL_DATAGRAM_SIZE = 1350
