/** Whether the addon and rdma-core can be loaded. */
import type { Facts } from '../facts.js'
import { type Finding, findingsOf } from '../finding.js'

const { ok, problem } = findingsOf('libraries')

export function checkLibraries({ libraries, process }: Facts): Finding[] {
  if (!libraries.usable) return [problem(libraries.message, libraries.remedy)]
  return [
    ok(
      `the addon, libibverbs and librdmacm are loaded (Node.js ${process.nodeVersion}, ` +
        `${process.platform} ${process.architecture}, kernel ${process.kernelRelease})`,
    ),
  ]
}
