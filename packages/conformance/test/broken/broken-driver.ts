/** Breaks a working driver in one place, to show that the suite notices. */
import type { Transport, TransportBuilder, TransportListener } from '@netts/core'
import type { ConformanceFixture } from '../../src/index.js'
import { type MockSetting, mockFixture } from '../mock-fixture.js'

/** Which end of a connection a transport is. */
export type Side = 'client' | 'server'

/** One way in which a driver can be wrong. */
export interface Defect {
  /** Completes "a driver that …". */
  readonly name: string
  /** The rules that must fail on it, by name. */
  readonly breaks: readonly string[]
  readonly transport?: (inner: Transport, side: Side) => Partial<Transport>
  readonly builder?: (inner: TransportBuilder) => Partial<TransportBuilder>
  readonly listener?: (inner: TransportListener) => Partial<TransportListener>
  readonly fixture?: (inner: ConformanceFixture) => Partial<ConformanceFixture>
  /** The mock underneath. @default its defaults */
  readonly setting?: MockSetting
}

/** `inner` with some of its members replaced. */
function altered<T extends object>(inner: T, replaced: Partial<T>): T {
  return new Proxy(inner, {
    get(target, name) {
      if (name in replaced) return Reflect.get(replaced, name, replaced)
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' && name !== 'waker' ? value.bind(target) : value
    },
    set(target, name, value) {
      return name in replaced
        ? Reflect.set(replaced, name, value, replaced)
        : Reflect.set(target, name, value, target)
    },
  })
}

/** The fixture of a mock with the defect. */
export function brokenFixture(defect: Defect): ConformanceFixture {
  const fixture = mockFixture({
    limits: { maxSendSize: 1024, recvWindow: 4096, sendSlots: 4, recvSlots: 8 },
    ...defect.setting,
    wrap: (builder) => brokenBuilder(builder, defect),
  })
  return { ...fixture, ...defect.fixture?.(fixture) }
}

function brokenBuilder(builder: TransportBuilder, defect: Defect): TransportBuilder {
  const broken = (transport: Transport, side: Side): Transport =>
    defect.transport ? altered(transport, defect.transport(transport, side)) : transport
  const base: TransportBuilder = {
    name: builder.name,
    connect: async (address, options) => broken(await builder.connect(address, options), 'client'),
    listen: async (address, options) => {
      const inner = await builder.listen(address, options)
      const listener = defect.listener ? altered(inner, defect.listener(inner)) : inner
      const accept: TransportListener['accept'] = async (options) => {
        const transport = await listener.accept(options)
        return transport && broken(transport, 'server')
      }
      const iterate = async function* () {
        for (let transport = await accept(); transport; transport = await accept()) yield transport
      }
      return altered(listener, {
        accept,
        ...(!(defect.listener && Symbol.asyncIterator in defect.listener(inner)) && {
          [Symbol.asyncIterator]: iterate,
        }),
      })
    },
  }
  return defect.builder ? altered(base, defect.builder(base)) : base
}
