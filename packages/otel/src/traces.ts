/** Spans: one for each attempt to connect, and one for each connection. */

import { type Connection, DIAGNOSTICS_CHANNELS, wireOf } from '@netts/core'
import { type Span, SpanKind, SpanStatusCode, type Tracer } from '@opentelemetry/api'
import {
  ATTR_ROLE,
  errorAttributes,
  peerAttributes,
  type Role,
  serverAttributes,
  wireAttributes,
} from './attributes.js'
import type { Subscriptions } from './subscriptions.js'

/** Traces connections that are made from now on. */
export function traceConnections(tracer: Tracer, subscriptions: Subscriptions): void {
  const attempts = new WeakMap<object, Span>()
  subscriptions.onConnecting(
    (trace) => {
      const attributes = { ...wireAttributes(trace.wire, trace.address), ...serverAttributes(trace.address) }
      attempts.set(trace, tracer.startSpan('netts connect', { kind: SpanKind.CLIENT, attributes }))
    },
    (trace) => {
      const span = attempts.get(trace)
      if (span === undefined) return
      if (trace.result !== undefined) {
        const { transport, remoteAddress } = trace.result
        // With `preferring`, the wire is known only now.
        span.setAttributes({
          ...wireAttributes(wireOf(transport) ?? trace.wire, remoteAddress),
          ...peerAttributes(remoteAddress),
        })
      }
      end(span, trace.error)
    },
  )

  const lives = new WeakMap<Connection, Span>()
  const begin = (connection: Connection, role: Role) => {
    const { transport, remoteAddress } = connection
    lives.set(
      connection,
      tracer.startSpan('netts connection', {
        kind: role === 'client' ? SpanKind.CLIENT : SpanKind.SERVER,
        // It may outlive the span in which it was opened, and has no parent.
        root: true,
        attributes: {
          ...wireAttributes(wireOf(transport) ?? 'unknown', remoteAddress),
          ...peerAttributes(remoteAddress),
          [ATTR_ROLE]: role,
        },
      }),
    )
  }
  subscriptions.on(DIAGNOSTICS_CHANNELS.connect, ({ connection }) => begin(connection, 'client'))
  subscriptions.on(DIAGNOSTICS_CHANNELS.accept, ({ connection }) => begin(connection, 'server'))
  subscriptions.on(DIAGNOSTICS_CHANNELS.close, ({ connection, error }) => {
    const span = lives.get(connection)
    if (span === undefined) return
    const { messagesSent, messagesReceived, bytesSent, bytesReceived } = connection.stats
    span.setAttributes({
      'netts.messages_sent': messagesSent,
      'netts.messages_received': messagesReceived,
      'netts.bytes_sent': bytesSent,
      'netts.bytes_received': bytesReceived,
    })
    end(span, error)
  })
}

function end(span: Span, error: unknown): void {
  if (error !== undefined) {
    span.setAttributes(errorAttributes(error))
    span.recordException(error instanceof Error ? error : String(error))
    span.setStatus({
      code: SpanStatusCode.ERROR,
      message: error instanceof Error ? error.message : String(error),
    })
  }
  span.end()
}
