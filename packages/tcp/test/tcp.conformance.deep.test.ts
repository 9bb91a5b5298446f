/** The suite that every driver passes, over IPv6. */
import { networkInterfaces } from 'node:os'
import { describe, it } from 'vitest'
import { tcpConformance } from './tcp-conformance.js'

const hasIPv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
)

if (hasIPv6) tcpConformance('tcp over IPv6', '::1')
else describe.skip('tcp over IPv6: this machine has no ::1', () => it('has no ::1', () => {}))
