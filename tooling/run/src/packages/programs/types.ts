/** What a user may rely on at compile time. It compiles only where none of it has become `any`. */
import type * as cli from '@netts/cli'
import type * as conformance from '@netts/conformance'
import * as core from '@netts/core'
import type * as driver from '@netts/core/driver'
import type * as lifecycle from '@netts/core/lifecycle'
import * as mock from '@netts/mock'
import * as pool from '@netts/pool'
import * as rdmaRing from '@netts/rdma-ring'
import * as rdmaSendRecv from '@netts/rdma-sendrecv'
import * as stream from '@netts/stream'
import type * as streamDriver from '@netts/stream/driver'
import type * as streamGrpc from '@netts/stream/grpc'
import type * as streamHttp from '@netts/stream/http'
import type * as streamHttp2 from '@netts/stream/http2'
import type * as streamUndici from '@netts/stream/undici'
import * as tcp from '@netts/tcp'
import * as tls from '@netts/tls'
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
holds<Same<AnyMembers<typeof cli>, never>>()
holds<Same<AnyMembers<typeof conformance>, never>>()
holds<Same<AnyMembers<typeof core>, never>>()
holds<Same<AnyMembers<typeof driver>, never>>()
holds<Same<AnyMembers<typeof lifecycle>, never>>()
holds<Same<AnyMembers<typeof mock>, never>>()
holds<Same<AnyMembers<typeof pool>, never>>()
holds<Same<AnyMembers<pool.Pool>, never>>()
holds<Same<AnyMembers<pool.PooledConnection>, never>>()
holds<Same<AnyMembers<typeof rdmaRing>, never>>()
holds<Same<AnyMembers<typeof rdmaSendRecv>, never>>()
holds<Same<AnyMembers<typeof stream>, never>>()
holds<Same<AnyMembers<typeof streamDriver>, never>>()
holds<Same<AnyMembers<typeof streamGrpc>, never>>()
holds<Same<AnyMembers<typeof streamHttp>, never>>()
holds<Same<AnyMembers<typeof streamHttp2>, never>>()
holds<Same<AnyMembers<typeof streamUndici>, never>>()
holds<Same<AnyMembers<typeof tcp>, never>>()
holds<Same<AnyMembers<typeof tls>, never>>()
holds<Same<AnyMembers<typeof verbs>, never>>()
holds<Same<AnyMembers<typeof endpoint>, never>>()
holds<Same<AnyMembers<typeof simulated>, never>>()

/** A stream has the members of a socket, with exact types. */
export function takesBytes(builder: core.TransportBuilder): void {
  const client = stream.connectStream(builder, address)
  const duplex: import('node:stream').Duplex = client
  duplex.end('bytes')
  holds<Same<typeof client.remotePort, number | undefined>>()
  holds<Same<stream.TransportStream['transport'], core.Transport | undefined>>()
  stream.createStreamServer(builder, {}, (accepted) => {
    holds<Same<typeof accepted, stream.TransportStream>>()
    accepted.pipe(accepted)
  })
}

/** A transport under TLS says who is at the other end; any Duplex becomes a transport. */
export async function verifies(builder: core.TransportBuilder): Promise<void> {
  const transport = await tls.tls(builder, { ca: 'PEM', ALPNProtocols: ['a'] }).connect(address)
  holds<Same<typeof transport, tls.TlsTransport>>()
  holds<Same<tls.TlsInfo['peerCertificate'], import('node:crypto').X509Certificate | undefined>>()
  const over: core.Transport = stream.transportFromDuplex(stream.createStream(transport))
  over.destroy()
}

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

/** A pool's handle takes messages as a connection does, with the session that `prepare` made. */
export async function pooled(builder: core.TransportBuilder): Promise<void> {
  const connections = pool.createPool({ builder, endpoints: [address], prepare: () => ({ user: 'me' }) })
  const connection = await connections.acquire()
  holds<Same<(typeof connection)['session'], { user: string }>>()
  const message = await connection.recv()
  holds<Same<typeof message, Buffer | undefined>>()
  const length = await connections.use(async (lent) => (await lent.recv())?.byteLength)
  holds<Same<typeof length, number | undefined>>()
  const either = core.preferring(rdmaSendRecv.sendRecv(), tcp.tcp())
  holds<Same<typeof either, core.PreferringBuilder<core.Transport>>>()
}
