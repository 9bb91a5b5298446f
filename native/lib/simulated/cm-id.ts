/**
 * The connection manager of the simulated device: listening, the three-way handshake, rejection and disconnection. Its
 * messages are independent of the data, and may overtake it and each other.
 */
import { type HostAddress, NettsError } from '@netts/core'
import { checkInteger } from '@netts/core/driver'
import { type CmEvent, type CmId, type ConnectionParameters, PRIVATE_DATA_BYTES } from '../verbs/cm.js'
import { callError } from '../verbs/errors.js'
import type { QueuePairOptions } from '../verbs/queue-pair.js'
import type { ClockTimer } from '../verbs/verbs.js'
import { AddressedCmId } from './cm-address.js'
import {
  CM_TIMEOUT_MS,
  type CompleteParameters,
  complete,
  pad,
  patience,
  REJECTED_BY_CONSUMER,
  REJECTED_NO_LISTENER,
  TIMEWAIT_MS,
} from './cm-parameters.js'
import type { Machine } from './machine.js'
import { SimulatedQueuePair } from './queue-pair.js'

export class SimulatedCmId extends AddressedCmId implements CmId {
  queuePair: SimulatedQueuePair | undefined
  #peer: SimulatedCmId | undefined
  #backlog = 0
  #requestsWaiting = 0
  #parameters: CompleteParameters | undefined
  #request: CompleteParameters | undefined
  #reply: CompleteParameters | undefined
  #timer: ClockTimer | undefined

  ref(): void {
    if (!this.closed) this.host.keepAlive(this, true)
  }

  unref(): void {
    this.host.keepAlive(this, false)
  }

  protected onTaken(event: CmEvent): void {
    if (event.type === 'connect-request') this.#requestsWaiting--
    // The queue pair changes its state when the event is taken, as in librdmacm, and in the addon for `disconnected`.
    if (event.type === 'established' && this.state === 'connecting') this.#becomeEstablished()
    if (event.type === 'established' && this.queuePair) this.queuePair.established = true
    if (event.type === 'disconnected') this.queuePair?.fail()
  }

  createQueuePair(options: QueuePairOptions): SimulatedQueuePair {
    this.enter('rdma_create_qp')
    if (!this.device || this.queuePair) {
      throw new NettsError(
        'ERR_NETTS_INVALID_STATE',
        this.queuePair ? 'there is a queue pair already' : 'no device is known yet',
        { operation: 'rdma_create_qp' },
      )
    }
    const queuePair = new SimulatedQueuePair(this.host, options)
    queuePair.onBroken = () => this.#broken()
    queuePair.onFirstMessage = () => this.#firstMessage()
    this.queuePair = queuePair
    return queuePair
  }

  connect(parameters: ConnectionParameters = {}): void {
    this.require('rdma_connect', 'route-resolved')
    const request = complete(parameters, PRIVATE_DATA_BYTES.connect, 'rdma_connect')
    if (!this.queuePair) {
      throw new NettsError('ERR_NETTS_INVALID_STATE', 'there is no queue pair', { operation: 'rdma_connect' })
    }
    const { fabric } = this.host
    const { mode } = fabric
    this.#parameters = request
    this.state = 'connecting'
    this.#wait(CM_TIMEOUT_MS[mode], () => {
      this.#end()
      this.push({ type: 'unreachable', status: 'ETIMEDOUT' })
    })
    const { host, port } = this.remoteAddress as HostAddress
    const target = fabric.hostAt(host) as Machine
    fabric.sendManagement(this.host, target, 'REQ', () => {
      // Without a device the request is lost, and not answered.
      if (target.device.removed) return
      const listener = target.listeners.get(port)
      if (listener instanceof SimulatedCmId) listener.#offer(this, request)
      else this.#nobody(target)
    })
  }

  #nobody(target: Machine): void {
    this.host.fabric.sendManagement(target, this.host, 'REJ, nobody listens', () => {
      if (this.state !== 'connecting') return
      this.#end()
      // A refused TCP connection is not a rejection to the iWARP CM (`cma_iw_handler`, siw's `siw_connect`).
      if (this.host.fabric.mode === 'iwarp') this.push({ type: 'connect-error', status: 'ECONNREFUSED' })
      else {
        this.push({
          type: 'rejected',
          reason: 'nobody-listening',
          status: REJECTED_NO_LISTENER,
          privateData: new Uint8Array(PRIVATE_DATA_BYTES.reject),
        })
      }
    })
  }

  listen(backlog: number): void {
    this.require('rdma_listen', 'bound')
    checkInteger('backlog', backlog, 1, 0x7fffffff)
    const { port } = this.localAddress as HostAddress
    if (this.host.listeners.has(port)) throw callError('rdma_listen', 'EADDRINUSE')
    this.state = 'listening'
    this.#backlog = backlog
    this.host.listeners.set(port, this)
  }

  /** A request reaches this listener. */
  #offer(connector: SimulatedCmId, request: CompleteParameters): void {
    const { host } = this
    const id = new SimulatedCmId(host)
    id.state = 'requested'
    id.device = host.device
    id.#peer = connector
    id.#request = request
    id.localAddress = { host: host.address, port: (this.localAddress as HostAddress).port }
    id.remoteAddress = connector.localAddress
    connector.#peer = id
    if (this.#requestsWaiting >= this.#backlog) {
      id.close()
      return
    }
    this.#requestsWaiting++
    this.push({
      type: 'connect-request',
      id,
      privateData: pad(this.host.fabric.mode, request.privateData, PRIVATE_DATA_BYTES.connect),
      responderResources: request.initiatorDepth,
      initiatorDepth: request.responderResources,
    })
  }

  accept(parameters: ConnectionParameters = {}): void {
    this.enter('rdma_accept')
    const reply = complete(parameters, PRIVATE_DATA_BYTES.accept, 'rdma_accept')
    if (this.state === 'ended' && this.#request) {
      throw callError('rdma_accept', 'EINVAL', { hint: 'The peer has gone meanwhile', ...this.#where })
    }
    if (this.state !== 'requested' || !this.queuePair) {
      throw new NettsError(
        'ERR_NETTS_INVALID_STATE',
        this.queuePair
          ? `rdma_accept is not possible in the state '${this.state}'`
          : 'there is no queue pair',
        { operation: 'rdma_accept' },
      )
    }
    this.#reply = reply
    this.#parameters = this.#request as CompleteParameters
    this.state = 'accepting'
    const peer = this.#peer as SimulatedCmId
    this.#join(reply, true)
    this.#send(peer, 'REP', () => peer.#accepted(this, reply))
    if (this.host.fabric.mode === 'iwarp') this.#becomeEstablished()
    else {
      this.#wait(CM_TIMEOUT_MS.roce, () => {
        this.#end()
        this.push({ type: 'unreachable', status: 'ETIMEDOUT' })
      })
    }
  }

  get #where(): { address?: HostAddress } {
    return this.remoteAddress ? { address: this.remoteAddress } : {}
  }

  #accepted(acceptor: SimulatedCmId, reply: CompleteParameters): void {
    if (this.state !== 'connecting' || this.#reply) {
      // This id has given up or was closed: the acceptor is told.
      if (this.state !== 'connecting') this.#send(acceptor, 'REJ', () => acceptor.#refused(undefined))
      if (this.host.fabric.mode === 'iwarp') acceptor.queuePair?.responder.endStream()
      return
    }
    this.#timer?.close()
    this.#reply = reply
    if (this.host.fabric.mode === 'iwarp') this.#join(reply, false)
    this.push({
      type: 'established',
      privateData: pad(this.host.fabric.mode, reply.privateData, PRIVATE_DATA_BYTES.accept),
    })
  }

  /** Connects the queue pair to the peer's, with the parameters that both agreed on. */
  #join(reply: CompleteParameters, acceptor: boolean): void {
    const request = this.#parameters as CompleteParameters
    const peer = this.#peer?.queuePair
    if (!peer || !this.queuePair) return
    const iwarp = this.host.fabric.mode === 'iwarp'
    this.queuePair.join({
      peer,
      initiatorDepth: acceptor
        ? reply.initiatorDepth
        : Math.min(request.initiatorDepth, reply.responderResources),
      responderResources: acceptor ? reply.responderResources : request.responderResources,
      rnrRetryCount: acceptor ? reply.rnrRetryCount : request.rnrRetryCount,
      patienceMs: patience(this.host.fabric.mode, this.ackTimeout, request.retryCount),
      listensFirst: iwarp && acceptor,
    })
  }

  /** The handshake is complete at this end. */
  #becomeEstablished(): void {
    this.#timer?.close()
    const connector = this.state === 'connecting'
    this.state = 'established'
    if (!connector) {
      this.push({ type: 'established', privateData: new Uint8Array(0) })
      return
    }
    if (this.host.fabric.mode === 'iwarp') return
    this.#join(this.#reply as CompleteParameters, false)
    const peer = this.#peer as SimulatedCmId
    this.#send(peer, 'RTU', () => {
      if (peer.state === 'accepting') peer.#becomeEstablished()
    })
  }

  #firstMessage(): void {
    if (this.state !== 'accepting') return
    const { queuePair } = this
    queuePair?.device.raise({ type: 'communication-established', name: 'IBV_EVENT_COMM_EST', queuePair })
  }

  notifyEstablished(): void {
    this.enter('rdma_notify')
    if (this.state === 'accepting') this.#becomeEstablished()
  }

  reject(privateData: Uint8Array = new Uint8Array(0)): void {
    this.enter('rdma_reject')
    complete({ privateData }, PRIVATE_DATA_BYTES.reject, 'rdma_reject')
    if (this.state === 'ended' && this.#request) return
    this.require('rdma_reject', 'requested')
    const peer = this.#peer as SimulatedCmId
    const copy = Uint8Array.from(privateData)
    this.#end()
    this.#send(peer, 'REJ', () => peer.#refused(copy))
  }

  /** The request was refused. @param privateData from the peer's program; `undefined` when the peer's CM refused */
  #refused(privateData: Uint8Array | undefined): void {
    if (this.state !== 'connecting' && this.state !== 'requested' && this.state !== 'accepting') return
    const { mode } = this.host.fabric
    this.#end()
    // The TCP connection is closed, which flushes the queue pair before the program gets the event.
    if (mode === 'iwarp') this.queuePair?.fail()
    this.push({
      type: 'rejected',
      reason: privateData ? 'listener' : 'other',
      status: REJECTED_BY_CONSUMER[mode],
      privateData: pad(this.host.fabric.mode, privateData ?? new Uint8Array(0), PRIVATE_DATA_BYTES.reject),
    })
  }

  disconnect(): void {
    this.enter('rdma_disconnect')
    // On iWARP a request cannot be cancelled. (The addon gives up a host that does not answer; here it times out.)
    if (this.host.fabric.mode === 'iwarp' && this.state === 'connecting' && !this.#reply) return
    this.#hangUp()
  }

  #hangUp(): void {
    this.queuePair?.fail()
    if (this.host.fabric.mode === 'iwarp') return
    const peer = this.#peer
    if (!peer) return
    if (this.state === 'established' || this.state === 'accepting') {
      this.state = 'disconnecting'
      this.#send(peer, 'DREQ', () => peer.#peerDisconnected(this))
      this.#wait(CM_TIMEOUT_MS.roce, () => this.#finishDisconnect())
    } else if (this.state === 'disconnected') {
      this.#end()
      this.#send(peer, 'DREP', () => peer.#finishDisconnect())
    }
  }

  /** A DREQ arrived. The queue pair works until the program takes the event. */
  #peerDisconnected(peer: SimulatedCmId): void {
    const established = this.state === 'established' || this.state === 'accepting'
    if (established || (this.state === 'connecting' && this.#reply)) {
      if (!established) this.#becomeEstablished()
      this.#timer?.close()
      this.state = 'disconnected'
      this.push({ type: 'disconnected' })
    } else {
      this.#send(peer, 'DREP', () => peer.#finishDisconnect())
      this.#finishDisconnect()
    }
  }

  #finishDisconnect(): void {
    if (this.state !== 'disconnecting') return
    this.#end()
    this.push({ type: 'disconnected' })
    this.host.fabric.scheduler.setTimer('device', `${this.host.name}: timewait`, TIMEWAIT_MS, () =>
      this.push({ type: 'timewait-exit' }),
    )
  }

  /** iWARP: the TCP connection is broken. */
  #broken(): void {
    // While connecting, the program may not have taken `established` yet, which comes before this event.
    const replied = this.state === 'connecting' && this.#reply !== undefined
    if (!replied && this.state !== 'established' && this.state !== 'accepting') return
    this.state = 'ended'
    this.push({ type: 'disconnected' })
  }

  #send(to: SimulatedCmId, name: string, deliver: () => void): void {
    this.host.fabric.sendManagement(this.host, to.host, name, deliver)
  }

  #wait(ms: number, callback: () => void): void {
    this.#timer?.close()
    this.#timer = this.host.fabric.scheduler.setTimer('device', `${this.host.name}: CM timeout`, ms, callback)
  }

  #end(): void {
    this.state = 'ended'
    this.#timer?.close()
  }

  protected release(): void {
    const state = this.state
    const peer = this.#peer
    if (state === 'listening') this.host.listeners.delete((this.localAddress as HostAddress).port)
    // Requests that the program did not take are refused when their listener is closed.
    for (const event of this.silence()) if (event.type === 'connect-request') event.id.close()
    if (state === 'requested' || (state === 'connecting' && !this.#reply)) {
      if (peer) this.#send(peer, 'REJ', () => peer.#refused(undefined))
      this.#end()
      // `iw_destroy_cm_id` waits for the answer.
      if (state === 'connecting' && this.host.fabric.mode === 'iwarp' && !this.host.dead) {
        this.host.device.counters.blockingCalls++
      }
    } else if (state === 'connecting' && peer) {
      this.state = 'established'
      this.#hangUp()
    } else {
      this.#hangUp()
    }
    this.queuePair?.close()
    this.#timer?.close()
    this.state = 'ended'
  }
}
