/** Which counters of a device indicate errors. */
import type { Counters } from './facts.js'

/**
 * Counters of loss, repeats and refusals, with what they mean. Names are those of Linux: `counters` are the same for all
 * devices, `hw_counters` those of mlx5, irdma, bnxt_re, efa and rxe.
 */
const TROUBLE: readonly (readonly [name: RegExp, meaning: string])[] = [
  [
    /^(symbol_error|link_error_recovery|link_downed|local_link_integrity_errors)$/,
    'the cable or the transceiver',
  ],
  [
    /^(port_rcv_errors|port_rcv_remote_physical_errors|excessive_buffer_overrun_errors)$/,
    'damaged packets came',
  ],
  [/^(port_xmit_discards|port_rcv_constraint_errors|port_xmit_constraint_errors)$/, 'packets were discarded'],
  [
    /^(out_of_sequence|packet_seq_err|rx_out_of_sequence|out_of_seq_request|seq_err_naks_rcvd|rcvd_seq_err)$/,
    'packets were lost on the way',
  ],
  [/^(implied_nak_seq_err|missing_resp|res_oos_drop_count)$/, 'answers were lost on the way'],
  [
    /^(local_ack_timeout_err|to_retransmits|retry_exceeded_err|max_retry_exceeded|tcp_retrans_segs|tcpRetransSegs|ip4InDiscards|ip6InDiscards|retrans(mits)?_?(segs|pkts)?)$/i,
    'acknowledgements did not come in time',
  ],
  [
    /^(rnr_nak_retry_err|out_of_buffer|send_rnr_err|rcvd_rnr_err|retry_rnr_exceeded_err|rnr_naks_rcvd|rx_roce_discards)$/,
    'the receiver was not ready',
  ],
  [/^(rx_icrc_encapsulated|rx_roce_errors|icrc_errors)$/, 'checksums were wrong'],
]

/** What an increase of the counter means; `undefined` for a counter that does not indicate errors. */
export function meaningOf(name: string): string | undefined {
  return TROUBLE.find(([pattern]) => pattern.test(name))?.[1]
}

/** The error counters (`PORT/NAME`) that increased, and by how much. */
export function risen(before: Counters, after: Counters): Counters {
  return Object.fromEntries(
    Object.entries(after)
      .map(([name, value]) => [name, value - (before[name] ?? 0)] as const)
      .filter(([name, rise]) => rise > 0 && meaningOf(name.replace(/^\d+\//, '')) !== undefined),
  )
}
