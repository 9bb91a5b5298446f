/** Names of errnos. */
import { getSystemErrorName } from 'node:util'

/** The name of a positive errno, such as `ENOMEM` for 12. */
export function errnoName(errno: number): string {
  return errno > 0 ? getSystemErrorName(-errno) : `errno ${errno}`
}
