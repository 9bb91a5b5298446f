/** What a user may rely on at compile time. It compiles only where none of it has become `any`. */
import type * as conformance from '@netts/conformance'
import * as core from '@netts/core'
import type * as driver from '@netts/core/driver'
import * as mock from '@netts/mock'
import * as rdmaRing from '@netts/rdma-ring'
import * as rdmaSendRecv from '@netts/rdma-sendrecv'
import * as tcp from '@netts/tcp'
import type * as verbs from '@netts/verbs'
import type * as endpoint from '@netts/verbs/endpoint'
import * as simulated from '@netts/verbs/simulated'

type IsAny<T> = 0 extends 1 & T ? true : false
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
/** The names of the members that are `any`, or are functions that return it. */
type AnyMembers<T> = {
  [Name in keyof T]: IsAny<T[Name]> extends true
    ? Name
    : T[Name] extends (...parameters: never) => infer Result
      ? IsAny<Awaited<Result>> extends true
        ? Name
        : never
      : never
}[keyof T]

/** Compiles for `true` alone: not for `false`, not for `boolean` and not for `any`. */
function holds<Claim extends true>(..._claim: IsAny<Claim> extends true ? [never] : []): void {}

const address = { host: 'localhost', port: 1 }

async function takesMessages(builder: core.TransportBuilder): Promise<void> {
  const connection = await core.connect(builder, address, { signal: new AbortController().signal })
  const message = await connection.recv()
  holds<Same<typeof message, Buffer | undefined>>()
  for await (const next of connection) holds<Same<typeof next, Buffer>>()
  const lease = await connection.recvLease()
  holds<Same<typeof lease, core.MessageLease | undefined>>()
  const disposable: AsyncDisposable = connection
  await disposable[Symbol.asyncDispose]()
}

holds<Same<Awaited<ReturnType<core.Connection['recv']>>, Buffer | undefined>>()
holds<Same<core.MessageLease['bytes'], Uint8Array>>()
holds<Same<core.OperationOptions['signal'], AbortSignal | undefined>>()
holds<Same<driver.DeadlineTask<1>['signal'], AbortSignal | undefined>>()
holds<Same<mock.MockSide['sent'], Buffer>>()
holds<Same<verbs.MemoryRegion['bytes'], Uint8Array>>()
holds<Same<ReturnType<endpoint.EndpointSession['hello']>, Uint8Array>>()
holds<Same<AnyMembers<core.Connection>, never>>()
holds<Same<AnyMembers<core.Transport>, never>>()
holds<Same<AnyMembers<verbs.Verbs>, never>>()
holds<Same<AnyMembers<typeof conformance>, never>>()
holds<Same<AnyMembers<typeof core>, never>>()
holds<Same<AnyMembers<typeof driver>, never>>()
holds<Same<AnyMembers<typeof mock>, never>>()
holds<Same<AnyMembers<typeof rdmaRing>, never>>()
holds<Same<AnyMembers<typeof rdmaSendRecv>, never>>()
holds<Same<AnyMembers<typeof tcp>, never>>()
holds<Same<AnyMembers<typeof verbs>, never>>()
holds<Same<AnyMembers<typeof endpoint>, never>>()
holds<Same<AnyMembers<typeof simulated>, never>>()

/** One builder of each driver, and each takes messages with exact types. */
export async function everyDriver(fixture: conformance.ConformanceFixture): Promise<void> {
  await takesMessages(fixture.builder)
  const overTcp = await (await core.connect(tcp.tcp(), address)).recv()
  holds<Same<typeof overTcp, Buffer | undefined>>()
  const overMock = await (await core.connect(mock.createMockNetwork().builder(), address)).recv()
  holds<Same<typeof overMock, Buffer | undefined>>()
  const overRdma = await (await core.connect(rdmaSendRecv.sendRecv(), address)).recv()
  holds<Same<typeof overRdma, Buffer | undefined>>()
  const overRing = await (await core.connect(rdmaRing.ring(), address)).recv()
  holds<Same<typeof overRing, Buffer | undefined>>()
  const host = simulated.createSimulatedFabric({ mode: 'roce', drive: 'auto' }).createHost()
  const builder = rdmaSendRecv.sendRecvOver({ verbs: host })
  const overSimulated = await (await core.connect(builder, address)).recv()
  holds<Same<typeof overSimulated, Buffer | undefined>>()
}
