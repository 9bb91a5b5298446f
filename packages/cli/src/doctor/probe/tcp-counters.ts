/** What TCP of this network namespace has sent again. */
import { readLine } from './files.js'

/** Segments that were sent again (`/proc/net/snmp`: a line of names, and one of values); 0 where nothing tells. */
export function tcpRetransmissions(): number {
  const [names, values] = (readLine('/proc/net/snmp') ?? '')
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '))
  return Number(values?.[names?.indexOf('RetransSegs') ?? -1] ?? 0)
}
