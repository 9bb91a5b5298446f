/** Two hosts, and what can happen between them. */
import { fileURLToPath } from 'node:url'
import { twoHosts } from '@netts/rdma-suite/two-hosts'
import { tested } from './tested.js'

twoHosts({
  name: tested.name,
  program: fileURLToPath(new URL('two-hosts.program.ts', import.meta.url)),
  control: 'ib_write_bw',
})
