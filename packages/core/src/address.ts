/** Addresses: where a listener listens and a client connects to. */

/** A host, by name or IP address, and a port. */
export interface HostAddress {
  /** A host name, IPv4 or IPv6 address (without brackets). */
  readonly host: string
  /** 0 to 65535; 0 asks a listener for any free port. */
  readonly port: number
}

/** A Unix domain socket. */
export interface PathAddress {
  /** The socket's path in the file system; empty for the end of a client, which has no name. */
  readonly path: string
}

/** An address to listen on or to connect to. Each driver documents which of the two forms it takes. */
export type Address = HostAddress | PathAddress

/** Where a listener listens over one wire. */
export interface ListeningAddress {
  /** The name of the builder. */
  readonly wire: string
  /** The address; if port 0 was asked for, with the port that was chosen. */
  readonly address: Address
}

/** Whether an address names a Unix domain socket. */
export function isPathAddress(address: Address): address is PathAddress {
  return 'path' in address
}

/** Formats an address for people, as in error messages: `10.0.0.1:80`, `[::1]:80` or a path; `(unnamed)` for an empty path. */
export function formatAddress(address: Address): string {
  if (isPathAddress(address)) return address.path || '(unnamed)'
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}
