/** What `netts doctor` says in each condition that can be made on one host: see the table in `docs/doctor.md`. */
import assert from 'node:assert/strict'
import { execFileSync, execSync } from 'node:child_process'
import { release } from 'node:os'
import { afterEach, describe, it } from 'node:test'
import { type DoctorRun, doctor, isNetts } from './doctor-process.js'
import { assertSaid } from './said.js'

const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
const memlock = (bytes: number) => ['prlimit', `--memlock=${bytes}`]
const MIB = 2 ** 20

if (!(await isNetts())) declareTests()

/** Runs the doctor, and holds what it says against the table. */
function check(condition: string, expectedStatus: number, run: DoctorRun = {}): void {
  const { status, findings } = doctor(run)
  assertSaid(condition, findings)
  assert.equal(status, expectedStatus)
}

function declareTests(): void {
  /** Undone after each test, the last first. */
  const undo: string[] = []
  const sh = (command: string) => execSync(command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  const change = (command: string, back: string) => {
    undo.push(back)
    sh(command)
  }
  afterEach(() => {
    for (const command of undo.splice(0).reverse()) sh(command)
  })

  // These take a guest's devices, files and modules away.
  const skip = process.env.NETTS_LAB === 'guest' ? false : 'this machine is not ours'
  describe('netts doctor', { skip, timeout: 850_000 }, () => {
    it('good order', () => check('good order', 0))

    it('no libraries', () => {
      check('no libraries', 1, { env: { NETTS_IBVERBS_LIB: '/nowhere/libibverbs.so.1' } })
    })

    it('no providers', () => {
      change('mv /etc/libibverbs.d /etc/hidden', 'mv /etc/hidden /etc/libibverbs.d')
      check('no providers', 1)
    })

    describe('as another user', () => {
      const open = () => change('chmod -R a+rw /dev/infiniband', 'chmod -R go-rw /dev/infiniband')

      it('not permitted', () => {
        sh('chmod -R go-rw /dev/infiniband')
        check('not permitted', 1, { through: NOBODY })
      })

      it('memlock small', () => {
        open()
        check('memlock small', 1, { through: [...memlock(8 * MIB), ...NOBODY] })
      })

      it('memlock far too small', () => {
        open()
        check('memlock far too small', 1, { through: [...memlock(MIB / 2), ...NOBODY] })
      })

      it('CAP_IPC_LOCK', () => {
        open()
        const may = ['--inh-caps=+ipc_lock', '--ambient-caps=+ipc_lock']
        check('CAP_IPC_LOCK', 1, { through: [...memlock(8 * MIB), ...NOBODY, ...may] })
      })

      it('CAP_IPC_LOCK without effect', () => {
        open()
        const through = [...memlock(8 * MIB), ...NOBODY]
        check('CAP_IPC_LOCK without effect', 1, { through, env: { container: 'lab' } })
      })

      it('user namespace', () => {
        open()
        check('user namespace', 1, { through: [...memlock(8 * MIB), 'unshare', '--user', '--map-root-user'] })
      })
    })

    it('device file missing', () => {
      change('mv /dev/infiniband/uverbs0 /dev/hidden', 'mv /dev/hidden /dev/infiniband/uverbs0')
      check('device file missing', 1)
    })

    it('rdma_cm missing', () => {
      change('mv /dev/infiniband/rdma_cm /dev/hidden', 'mv /dev/hidden /dev/infiniband/rdma_cm')
      check('rdma_cm missing', 1)
    })

    it('network namespace', () => check('network namespace', 1, { through: ['unshare', '--net'] }))

    it('exclusive network namespaces', () => {
      change('rdma system set netns exclusive', 'rdma system set netns shared')
      const inOwn = ['unshare', '--net', '--mount', 'sh', '-c', 'mount -t sysfs sysfs /sys; exec "$0" "$@"']
      check('exclusive network namespaces', 1, { through: inOwn })
    })

    it('control group', () => {
      sh('mkdir -p /sys/fs/cgroup')
      change('mount -t cgroup2 none /sys/fs/cgroup', 'umount /sys/fs/cgroup')
      sh('echo +rdma > /sys/fs/cgroup/cgroup.subtree_control')
      change('mkdir /sys/fs/cgroup/few', 'rmdir /sys/fs/cgroup/few')
      sh('echo "rxe0 hca_handle=0 hca_object=0" > /sys/fs/cgroup/few/rdma.max')
      const within = ['sh', '-c', 'echo $$ > /sys/fs/cgroup/few/cgroup.procs; exec "$0" "$@"']
      check('control group', 1, { through: within })
    })

    it('no address', () => {
      change('ip address flush dev dummy0', 'ip address add 10.99.0.1/24 dev dummy0')
      check('no address', 1)
    })

    it('MTU 1500', () => {
      change('ip link set dummy0 mtu 1500', 'ip link set dummy0 mtu 9000')
      check('MTU 1500', 0)
    })

    it('one port down, then both', () => {
      change('ip link set dummy0 down', 'ip link set dummy0 up')
      check('one port down', 0)
      change('ip link set dummy1 down', 'ip link set dummy1 up')
      check('port down', 1)
    })

    it('no device, then no modules', () => {
      sh('rdma link delete rxe0; rdma link delete siw0')
      check('no device', 1)
      // delete_module(2) by its number on x86-64; the guest has no rmmod.
      execFileSync('perl', ['-e', '$name = "rdma_ucm"; syscall(176, $name, 2048) == 0 or die $!'])
      check('no modules', 1)
      sh(
        `mkdir -p /lib/modules/${release()}; echo kernel/rdma_ucm.ko: > /lib/modules/${release()}/modules.dep`,
      )
      check('modules not loaded', 1)
    })
  })
}
