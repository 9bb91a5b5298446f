/** A gRPC service that echoes, described at run time: what a generator would make of a `.proto` file. */
import { create, createFileRegistry, fromBinary, type Message, toBinary } from '@bufbuild/protobuf'
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import grpc from '@grpc/grpc-js'

/** `message Bytes { bytes data = 1; }` */
export type Bytes = Message & { data: Uint8Array }

const type = '.echo.Bytes'
const method = (name: string, clientStreaming: boolean, serverStreaming: boolean) => ({
  name,
  inputType: type,
  outputType: type,
  clientStreaming,
  serverStreaming,
})
const registry = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      {
        name: 'echo.proto',
        package: 'echo',
        syntax: 'proto3',
        // An optional field of type bytes.
        messageType: [
          { name: 'Bytes', field: [{ name: 'data', jsonName: 'data', number: 1, label: 1, type: 12 }] },
        ],
        service: [
          {
            name: 'Echo',
            method: [
              method('Unary', false, false),
              method('Down', false, true),
              method('Up', true, false),
              method('Both', true, true),
            ],
          },
        ],
      },
    ],
  }),
)

const bytesSchema = registry.getMessage('echo.Bytes')!

/** For connect-node. */
export const echoService = registry.getService('echo.Echo')!

export const bytes = (data: Uint8Array): Bytes => Object.assign(create(bytesSchema), { data })

const serialize = ({ data }: { data: Uint8Array }) => Buffer.from(toBinary(bytesSchema, bytes(data)))
const deserialize = (encoded: Buffer) => fromBinary(bytesSchema, encoded) as Bytes
const definition = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/echo.Echo/${name}`,
  requestStream,
  responseStream,
  requestSerialize: serialize,
  requestDeserialize: deserialize,
  responseSerialize: serialize,
  responseDeserialize: deserialize,
})

/** For @grpc/grpc-js. */
export const echoDefinition = {
  unary: definition('Unary', false, false),
  down: definition('Down', false, true),
  up: definition('Up', true, false),
  both: definition('Both', true, true),
} satisfies grpc.ServiceDefinition

/** Chunks in which `Down` answers. */
const DOWN_BYTES = 10_000

/**
 * The service: `Unary` echoes, fails with NOT_FOUND when it is asked for `missing`, and does not answer `never`; `Down`
 * answers in pieces; `Up` answers with all pieces at once; `Both` echoes each.
 *
 * @param onCancelled called when a client gave a call up
 */
export function echoServer(onCancelled: () => void): grpc.Server {
  const server = new grpc.Server()
  server.addService(echoDefinition, {
    unary(call: grpc.ServerUnaryCall<Bytes, Bytes>, answer: grpc.sendUnaryData<Bytes>) {
      call.on('cancelled', onCancelled)
      const { data } = call.request
      const text = Buffer.from(data).toString('latin1', 0, 10)
      if (text === 'missing') answer({ code: grpc.status.NOT_FOUND, details: 'there is none' })
      else if (text !== 'never') answer(null, bytes(data))
    },
    down(call: grpc.ServerWritableStream<Bytes, Bytes>) {
      const { data } = call.request
      for (let at = 0; at < data.length; at += DOWN_BYTES) {
        call.write(bytes(data.subarray(at, at + DOWN_BYTES)))
      }
      call.end()
    },
    up(call: grpc.ServerReadableStream<Bytes, Bytes>, answer: grpc.sendUnaryData<Bytes>) {
      const pieces: Uint8Array[] = []
      call.on('data', ({ data }: Bytes) => pieces.push(data))
      call.on('end', () => answer(null, bytes(Buffer.concat(pieces))))
    },
    both(call: grpc.ServerDuplexStream<Bytes, Bytes>) {
      call.on('cancelled', onCancelled)
      call.on('data', (piece: Bytes) => call.write(piece))
      call.on('end', () => call.end())
    },
  })
  return server
}
