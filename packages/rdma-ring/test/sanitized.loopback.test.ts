/** The driver over the addon and the loopback device, both with AddressSanitizer and UBSan. */
import { fileURLToPath } from 'node:url'
import { sanitizedConformance } from '@netts/rdma-suite/sanitized-conformance'
import { tested } from './tested.js'

sanitizedConformance(tested.name, fileURLToPath(new URL('sanitized-conformance.program.ts', import.meta.url)))
