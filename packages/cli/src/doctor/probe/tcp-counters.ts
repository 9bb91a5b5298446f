/** The retransmissions of TCP in this network namespace. */
import { readLine } from './files.js'

/** The number of retransmitted segments (`/proc/net/snmp`: a line of names, and one of values); 0 without that file. */
export function tcpRetransmissions(): number {
  const [names, values] = (readLine('/proc/net/snmp') ?? '')
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '))
  return Number(values?.[names?.indexOf('RetransSegs') ?? -1] ?? 0)
}
