/** Which sides each kind of traffic has. */
import type { SideName } from '../../run/protocol.js'
import type { TrafficKind } from '../../spec.js'
import { BroadcastClient, BroadcastServer } from './broadcast.js'
import { Churn } from './churn.js'
import { ClosedLoop } from './closed-loop.js'
import { Flood } from './flood.js'
import { IdleClient, IdleServer } from './idle.js'
import { OpenLoop } from './open-loop.js'
import { QuietClient } from './quiet.js'
import { Echo, Sink } from './servers.js'
import type { Side, SideContext } from './side.js'

const sides: Record<TrafficKind, Record<SideName, new (context: SideContext) => Side>> = {
  'closed-loop': { server: Echo, client: ClosedLoop },
  flood: { server: Sink, client: Flood },
  'open-loop': { server: Echo, client: OpenLoop },
  idle: { server: IdleServer, client: IdleClient },
  quiet: { server: Echo, client: QuietClient },
  broadcast: { server: BroadcastServer, client: BroadcastClient },
  churn: { server: Echo, client: Churn },
}

export function makeSide(name: SideName, context: SideContext): Side {
  const { traffic } = context.spec
  if (traffic === 'addon' || traffic === 'pool')
    throw new Error(`${traffic} is measured by a program of its own`)
  return new sides[traffic][name](context)
}
