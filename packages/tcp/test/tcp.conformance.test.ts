/** The suite that every driver passes; over IPv6 it is among the deep tests. */
import { tcpConformance } from './tcp-conformance.js'

tcpConformance('tcp over IPv4', '127.0.0.1')
tcpConformance('tcp over a Unix domain socket', undefined)
