/** A driver over RDMA, as its suite knows it. */
import type { HostAddress, Transport, TransportBuilder } from '@netts/core'
import type { Verbs } from '@netts/verbs'
import type { RdmaOptions } from '@netts/verbs/endpoint'

/** What transports over RDMA have beside the contract. */
export interface RdmaTestTransport extends Transport {
  readonly localAddress: HostAddress
  readonly remoteAddress: HostAddress
  readonly pinnedBytes: number
  readonly controlFramesSent: number
}

/** A driver under test. */
export interface TestedDriver<O extends RdmaOptions> {
  /** As in the names of suites. */
  readonly name: string
  /** Over this machine's verbs. */
  build(options?: O): TransportBuilder<RdmaTestTransport>
  /** Over others. */
  buildOver(options: O & { readonly verbs: Verbs }): TransportBuilder<RdmaTestTransport>
}

/** How the two ends are set up. */
export interface EndSettings<O extends RdmaOptions> {
  readonly client?: O
  readonly server?: O
}
