/** TLS over RDMA on the loopback device: the whole suite over the ring; over sendrecv it is among the deep tests. */
import { loopbackConformance, loopbackMutualTls } from './loopback-conformance.js'

loopbackConformance('ring')
loopbackMutualTls('ring')
loopbackMutualTls('sendrecv')
