/** The contract of a socket on streams over the addon, on the loopback device. */
import { LOOPBACK_ADDRESS, loopbackIsMissing, useLoopback } from '@netts/loopback'
import { ring } from '@netts/rdma-ring'
import { sendRecv } from '@netts/rdma-sendrecv'
import { describe } from 'vitest'
import { socketContract } from './contract/contract.js'
import { streamGround } from './contract/ground.js'

useLoopback()

describe.skipIf(loopbackIsMissing())(
  `the loopback device${loopbackIsMissing() ? ' (skipped: it was not built)' : ''}`,
  () => {
    for (const [driver, build] of [
      ['rdma-sendrecv', sendRecv],
      ['rdma-ring', ring],
    ] as const) {
      socketContract(
        streamGround({
          name: `${driver}, loopback`,
          finishIsAcknowledged: true,
          refusal: 'ERR_NETTS_CONNECT_FAILED',
          setup: () => ({ client: build(), server: build(), host: LOOPBACK_ADDRESS }),
        }),
      )
    }
  },
)
