/** Facts of machines that no lab has, judged. Machines that it has are in `test/doctor-conditions.deep.lab.test.ts`. */
import { describe, expect, it } from 'vitest'
import { diagnose, isHealthy } from './diagnose.js'
import type { DeviceFacts, Facts, PortFacts, ProcessFacts } from './facts.js'
import type { Finding } from './finding.js'
import { isInUserNamespace, parseRdmaMax } from './probe/process.js'
import { addressOfGid } from './probe/sysfs-devices.js'

const port: PortFacts = {
  number: 1,
  state: 'ACTIVE',
  physicalState: 'LinkUp',
  linkLayer: 'Ethernet',
  rate: '100 Gb/sec (4X EDR)',
  rdmaMtuBytes: 4096,
  gids: [{ index: 3, gid: '…', type: 'RoCE v2', interface: 'eth0', address: '10.0.0.7' }],
  counters: { port_xmit_data: 7, out_of_sequence: 0 },
}
const device: DeviceFacts = {
  name: 'mlx5_0',
  transport: 'infiniband',
  firmwareVersion: '28.39.1002',
  isSoftware: false,
  opened: true,
  interfaces: ['eth0'],
  ports: [port],
  addresses: ['10.0.0.7'],
  registrations: [{ byteLength: 2 ** 20, error: undefined }],
  selfConnections: [{ address: '10.0.0.7', error: undefined, roundTripMicroseconds: 9 }],
  rose: {},
}
const subject: ProcessFacts = {
  platform: 'linux',
  architecture: 'x64',
  kernelRelease: '6.1.0',
  nodeVersion: 'v20.19.0',
  userId: 1000,
  ipcLock: { effective: false, bounding: false },
  memlock: { soft: 'unlimited', hard: 'unlimited' },
  inUserNamespace: false,
  container: undefined,
  rdmaNamespaces: 'shared',
  cgroupLimits: [],
}
const healthy: Facts = {
  process: subject,
  modules: ['ib_core', 'ib_uverbs', 'rdma_cm', 'rdma_ucm'].map((name) => ({ name, state: 'loaded' })),
  libraries: { usable: true },
  listError: undefined,
  deviceFiles: [
    { path: '/dev/infiniband/uverbs0', device: 'mlx5_0', error: undefined, mode: '0666', owner: '0:0' },
    { path: '/dev/infiniband/rdma_cm', device: undefined, error: undefined, mode: '0666', owner: '0:0' },
  ],
  interfaces: [{ name: 'eth0', mtuBytes: 9000, state: 'up', addresses: ['10.0.0.7'] }],
  devices: [device],
}

const withDevice = (change: Partial<DeviceFacts>): Facts => ({
  ...healthy,
  devices: [{ ...device, ...change }],
})
const withPort = (change: Partial<PortFacts>) => withDevice({ ports: [{ ...port, ...change }] })
const inContainer = (container: string | undefined, change: Partial<Facts> = {}): Facts => ({
  ...healthy,
  ...change,
  process: { ...subject, container, ...change.process },
})

/** Those of a check that are no `ok`. */
const troubles = (facts: Facts, check: string): readonly Finding[] =>
  diagnose(facts).filter((finding) => finding.check === check && finding.verdict !== 'ok')

describe('a machine in good order', () => {
  it('has nothing to be said against it', () => {
    const findings = diagnose(healthy)
    expect(findings.filter(({ verdict }) => verdict !== 'ok')).toEqual([])
    expect(isHealthy(findings)).toBe(true)
  })
})

it('another system than Linux has nothing else to be looked at', () => {
  const libraries = { usable: false, reason: 'not-linux', message: 'no Linux', remedy: 'use TCP' } as const
  const findings = diagnose({ ...healthy, libraries, process: { ...subject, platform: 'darwin' } })
  expect(findings).toEqual([
    { check: 'libraries', verdict: 'problem', message: 'no Linux', remedy: 'use TCP' },
  ])
})

describe('a container', () => {
  const forbidden = healthy.deviceFiles.map((file) => ({ ...file, error: 'EPERM' }))

  it('is told of the control group of devices', () => {
    const [first] = troubles(inContainer('Docker', { deviceFiles: forbidden }), 'permissions')
    expect(first).toMatchObject({
      verdict: 'problem',
      remedy: expect.stringContaining('--device /dev/infiniband/uverbs0'),
    })
  })

  it('cannot load modules itself', () => {
    const modules = [{ name: 'rdma_ucm', state: 'available' as const }]
    const facts = { modules, devices: [], deviceFiles: [] }
    expect(troubles(inContainer('Podman', facts), 'modules')[0]?.remedy).toContain('on the host')
    expect(troubles(inContainer(undefined, facts), 'modules')[0]?.remedy).not.toContain('on the host')
  })

  it('that may open as little as its control group says is told so', () => {
    const cgroupLimits = [
      { device: 'mlx5_0', handles: 2, objects: 'max' as const },
      { device: 'mlx5_9', handles: 0, objects: 0 },
    ]
    const found = troubles({ ...healthy, process: { ...subject, cgroupLimits } }, 'container')
    expect(found).toMatchObject([{ verdict: 'note', message: expect.stringContaining('2 open handles') }])
  })
})

describe('InfiniBand', () => {
  const down = { linkLayer: 'InfiniBand', state: 'INIT' }

  it('without a subnet manager is told so', () => {
    expect(troubles(withPort(down), 'ports')[0]).toMatchObject({
      verdict: 'problem',
      remedy: expect.stringContaining('subnet manager'),
    })
  })

  it('without a link is told to look at the cable', () => {
    const [found] = troubles(withPort({ ...down, physicalState: 'Polling' }), 'ports')
    expect(found?.remedy).toContain('cable')
  })
})

describe('addresses', () => {
  it('of RoCE v1 alone are a warning', () => {
    const gids = port.gids.map((gid) => ({ ...gid, type: 'IB/RoCE v1' }))
    expect(troubles(withPort({ gids }), 'addresses')).toMatchObject([{ verdict: 'warning' }])
  })
})

describe('memlock', () => {
  it('is no matter of the limit with another error than ENOMEM', () => {
    const [found] = troubles(
      withDevice({ registrations: [{ byteLength: 2 ** 20, error: 'EFAULT' }] }),
      'memlock',
    )
    expect(found).toMatchObject({ verdict: 'problem', remedy: expect.stringContaining('not the reason') })
  })

  it('that CAP_IPC_LOCK lifts for this process alone is worth a note', () => {
    const process = {
      ...subject,
      ipcLock: { effective: true, bounding: true },
      memlock: { soft: 8 * 2 ** 20, hard: 'unlimited' as const },
    }
    expect(troubles({ ...healthy, process }, 'memlock')).toMatchObject([{ verdict: 'note' }])
    expect(isHealthy(diagnose({ ...healthy, process }))).toBe(true)
  })
})

describe('a connection to itself', () => {
  const selfConnections = [{ address: '10.0.0.7', error: 'gone', roundTripMicroseconds: undefined }]

  it('that fails is a problem', () => {
    expect(troubles(withDevice({ selfConnections }), 'connection')).toMatchObject([{ verdict: 'problem' }])
  })

  it('is not for every iWARP adapter', () => {
    const facts = withDevice({ selfConnections, transport: 'iwarp' })
    expect(troubles(facts, 'connection')).toMatchObject([{ verdict: 'warning' }])
    expect(isHealthy(diagnose(facts))).toBe(true)
  })
})

describe('counters', () => {
  it('that rose are a warning, and those from before a note', () => {
    expect(troubles(withDevice({ rose: { '1/out_of_sequence': 3 } }), 'counters')).toMatchObject([
      {
        verdict: 'warning',
        message: expect.stringContaining(
          'out_of_sequence of mlx5_0 rose by 3 while it was tried: packets were lost',
        ),
      },
    ])
    const [note] = troubles(withPort({ counters: { symbol_error: 2, port_xmit_data: 9 } }), 'counters')
    expect(note).toMatchObject({ verdict: 'note', message: expect.stringContaining('symbol_error 2') })
    expect(note?.message).not.toContain('port_xmit_data')
  })
})

describe('what the kernel writes', () => {
  it.each([
    ['0000:0000:0000:0000:0000:ffff:0a00:0007', '10.0.0.7'],
    ['fd00:0000:0000:0000:0000:0000:0000:0007', 'fd00::7'],
    ['fe80:0000:0000:0000:4442:87ff:fed0:8e24', undefined],
  ])('GID %s stands for %s', (gid, address) => {
    expect(addressOfGid(gid)).toBe(address)
  })

  it('rdma.max', () => {
    expect(
      parseRdmaMax('mlx5_0 hca_handle=2 hca_object=2000 \nrxe0 hca_handle=max hca_object=max \n'),
    ).toEqual([{ device: 'mlx5_0', handles: 2, objects: 2000 }])
  })

  it('uid_map', () => {
    expect(isInUserNamespace('         0          0 4294967295')).toBe(false)
    expect(isInUserNamespace('         0       1000          1')).toBe(true)
  })
})
