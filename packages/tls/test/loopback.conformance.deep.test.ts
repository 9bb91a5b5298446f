/** TLS over RDMA on the loopback device, over sendrecv. */
import { loopbackConformance } from './loopback-conformance.js'

loopbackConformance('sendrecv')
