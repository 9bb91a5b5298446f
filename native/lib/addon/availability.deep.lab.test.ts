/** What `rdmaAvailability()` says in the lab: with devices, without an active port, without enough memlock. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { it } from 'node:test'
import { labDevices } from '../../test/lab/devices.js'
import type { RdmaAvailability } from '../verbs/availability.js'
import { rdmaAvailability } from './availability.js'

const ASK = 'NETTS_ASK_AVAILABILITY'

if (process.env[ASK] !== undefined) console.log(JSON.stringify(rdmaAvailability({ requiredBytes: 16 << 20 })))
else declareTests()

/**
 * Asks in a process of its own. This one must not open a device: a soft device can't be deleted while anybody has
 * it open.
 */
function ask(...through: string[]): RdmaAvailability {
  const [command, ...options] = [...through, process.execPath, process.argv[1]!]
  const { stdout, stderr, status } = spawnSync(command!, options, {
    env: { ...process.env, [ASK]: '1' },
    encoding: 'utf8',
    timeout: 30_000,
  })
  assert.equal(status, 0, stderr)
  return JSON.parse(stdout) as RdmaAvailability
}

/** Asks with few rights: root is exempt from the limit. */
function askAsNobody(memlockBytes: number | 'unlimited'): RdmaAvailability {
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
  return ask('prlimit', `--memlock=${memlockBytes}`, ...nobody)
}

function declareTests(): void {
  const names = labDevices().map(({ name }) => name)

  it('names the devices that have an active port', () => {
    assert.deepEqual(ask(), { available: true, devices: names })
  })

  it('says how much memory may be pinned when that is too little', { timeout: 60_000 }, () => {
    execFileSync('chmod', ['-R', 'a+rw', '/dev/infiniband'])
    const found = askAsNobody(1 << 20)
    assert(!found.available)
    assert.equal(found.reason, 'memlock-too-small', found.message)
    assert.equal(found.limitBytes, 1 << 20)
    assert.equal(found.requiredBytes, 16 << 20)
    assert.match(found.remedy, /ulimit -l/)
    assert(askAsNobody(64 << 20).available)
  })

  it('does not take CAP_IPC_LOCK of another user namespace for the machine’s', { timeout: 60_000 }, () => {
    execFileSync('chmod', ['-R', 'a+rw', '/dev/infiniband'])
    const found = ask('prlimit', `--memlock=${1 << 20}`, 'unshare', '--user', '--map-root-user')
    assert(!found.available)
    assert.equal(found.reason, 'memlock-too-small', found.message)
    assert.equal(found.limitBytes, 1 << 20)
  })

  it('says so when this user may not open the device', { timeout: 60_000 }, () => {
    execFileSync('chmod', ['-R', 'go-rw', '/dev/infiniband'])
    const found = askAsNobody('unlimited')
    assert(!found.available)
    assert.equal(found.reason, 'kernel-unsupported', found.message)
    assert.match(found.message, /may not open the device/)
  })

  // Only a guest's devices are ours to take away. Others tests in it need them again.
  const skip = process.env.NETTS_LAB === 'guest' ? false : 'these devices are not ours'
  it('says so when no port is active, and when there is no device at all', { skip, timeout: 60_000 }, () => {
    const devices = labDevices()
    try {
      for (const { netdev } of devices) execFileSync('ip', ['link', 'set', netdev, 'down'])
      const down = ask()
      assert(!down.available)
      assert.equal(down.reason, 'no-active-port', down.message)
      for (const { name } of devices) execFileSync('rdma', ['link', 'delete', name])
      const none = ask()
      assert(!none.available)
      assert.equal(none.reason, 'no-device', none.message)
    } finally {
      const present = execFileSync('rdma', ['link'], { encoding: 'utf8' })
      for (const { name, type, netdev } of devices) {
        execFileSync('ip', ['link', 'set', netdev, 'up'])
        if (!present.includes(name)) {
          execFileSync('rdma', ['link', 'add', name, 'type', type, 'netdev', netdev])
        }
      }
    }
    assert(ask().available)
  })
}
