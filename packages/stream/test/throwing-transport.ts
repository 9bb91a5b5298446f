/** Drivers that throw. */
import type { Transport, TransportBuilder } from '@netts/core'

/** The methods of a transport that a stream calls. */
export const METHODS = [
  'sendCopy',
  'sendGather',
  'pollRecv',
  'recvBuf',
  'repostRecv',
  'finish',
  'disconnect',
  'destroy',
  'pollSendCompletion',
  'pollDisconnect',
  'recvEnded',
  'queuedBytes',
] as const

const PROPERTIES: readonly string[] = ['recvEnded', 'queuedBytes']

/** A driver whose transports throw from one method or property, from the moment on at which `isArmed` says so. */
export function throwingBuilder(
  builder: TransportBuilder,
  method: (typeof METHODS)[number],
  isArmed: () => boolean,
): TransportBuilder {
  const wrap = (transport: Transport): Transport =>
    new Proxy(transport, {
      get(target, name) {
        if (name === method && isArmed()) {
          if (PROPERTIES.includes(method)) throw new Error(`from ${method}`)
          return () => {
            throw new Error(`from ${method}`)
          }
        }
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
      set: (target, name, value) => Reflect.set(target, name, value, target),
    })
  return {
    name: 'throwing',
    connect: async (address, options) => wrap(await builder.connect(address, options)),
    listen: (address, options) => builder.listen(address, options),
  }
}

/** A driver whose transports, of both sides, throw when their waker is assigned, as long as `isArmed` says so. */
export function unwakeableBuilder(builder: TransportBuilder, isArmed: () => boolean): TransportBuilder {
  const wrap = (transport: Transport): Transport =>
    new Proxy(transport, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
      set(target, name, value) {
        if (name === 'waker' && isArmed()) throw new Error('from waker')
        return Reflect.set(target, name, value, target)
      },
    })
  return {
    name: 'unwakeable',
    connect: async (address, options) => wrap(await builder.connect(address, options)),
    async listen(address, options) {
      const listener = await builder.listen(address, options)
      return {
        address: listener.address,
        close: () => listener.close(),
        ref: () => listener.ref(),
        unref: () => listener.unref(),
        accept: (acceptOptions) =>
          listener.accept(acceptOptions).then((accepted) => accepted && wrap(accepted)),
        async *[Symbol.asyncIterator]() {
          for await (const transport of listener) yield wrap(transport)
        },
        [Symbol.asyncDispose]: () => listener.close(),
      }
    },
  }
}
