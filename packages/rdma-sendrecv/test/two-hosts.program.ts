/** One end of a transfer between two hosts. */
import { runTwoHostsEnd } from '@netts/rdma-suite/two-hosts-end'
import { tested } from './tested.js'

await runTwoHostsEnd(tested)
