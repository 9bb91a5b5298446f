/** What `npm start` says of one transport. */
import type { Measurement } from './measure.js'

/** One transport's row. */
export type Row = {
  readonly name: string
  readonly title: string
  /** It ran over the loopback provider, and this is why the machine's own RDMA could not be used. */
  readonly loopbackBecause?: string
} & (
  | ({ readonly outcome: 'verified' } & Measurement)
  | { readonly outcome: 'failed' | 'unavailable'; readonly reason: string }
)
