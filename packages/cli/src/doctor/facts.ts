/** What the doctor found out about this machine and this process: plain data, judged by `checks/`. */

/** A number of bytes, or no limit. */
export type ByteLimit = number | 'unlimited'

/** The process: who it is, and what it may do. */
export interface ProcessFacts {
  readonly platform: string
  readonly architecture: string
  readonly kernelRelease: string
  readonly nodeVersion: string
  readonly userId: number
  /** CAP_IPC_LOCK in the effective set, and in the bounding set. */
  readonly ipcLock: { readonly effective: boolean; readonly bounding: boolean }
  /** RLIMIT_MEMLOCK. */
  readonly memlock: { readonly soft: ByteLimit; readonly hard: ByteLimit }
  /** Whether its user namespace is another than the first one of the machine. */
  readonly inUserNamespace: boolean
  /** What it runs in, such as `docker`; `undefined` outside of containers, as far as can be seen. */
  readonly container: string | undefined
  /** `shared`: devices are seen in every network namespace. `undefined` without the module ib_core. */
  readonly rdmaNamespaces: 'shared' | 'exclusive' | undefined
  /** Limits of its control group for RDMA that are in force. */
  readonly cgroupLimits: readonly CgroupLimit[]
}

/** What a control group allows of one device (`rdma.max`). */
export interface CgroupLimit {
  readonly device: string
  readonly handles: number | 'max'
  readonly objects: number | 'max'
}

/** A module of the kernel: `available` is on the disk and not loaded. */
export interface ModuleFacts {
  readonly name: string
  readonly state: 'loaded' | 'available' | 'missing'
}

/** The addon and the libraries it loads. */
export type LibraryFacts =
  | { readonly usable: true }
  | {
      readonly usable: false
      /** See `UnavailabilityReason` of `@netts/verbs`. */
      readonly reason: string
      readonly message: string
      readonly remedy: string
    }

/** A file in `/dev/infiniband` that somebody has to open. */
export interface DeviceFileFacts {
  readonly path: string
  /** The device behind it; `undefined` for that of the connection manager. */
  readonly device: string | undefined
  /** What opening it for reading and writing failed with; `undefined` when it can be opened. */
  readonly error: string | undefined
  /** Such as `0600`, with its owner and group by number; `undefined` where there is no such file. */
  readonly mode: string | undefined
  readonly owner: string | undefined
}

/** A network interface of this network namespace. */
export interface InterfaceFacts {
  readonly name: string
  readonly mtuBytes: number | undefined
  /** `up` in the words of the kernel (`operstate`); dummies are `unknown`. */
  readonly state: string | undefined
  readonly addresses: readonly string[]
}

/** An entry of a port's GID table. */
export interface GidFacts {
  readonly index: number
  readonly gid: string
  /** Such as `RoCE v2`. */
  readonly type: string
  /** The interface that it belongs to, as the kernel names it. */
  readonly interface: string | undefined
  /** The IP address that it stands for; `undefined` where it stands for none. */
  readonly address: string | undefined
}

/** A port, as sysfs and the device tell. */
export interface PortFacts {
  readonly number: number
  /** Such as `ACTIVE`. */
  readonly state: string
  /** Such as `LinkUp`. */
  readonly physicalState: string
  readonly linkLayer: string
  readonly rate: string
  /** `undefined` where the device could not be opened. */
  readonly rdmaMtuBytes: number | undefined
  readonly gids: readonly GidFacts[]
  readonly counters: Counters
}

/** Counters by name. */
export type Counters = Readonly<Record<string, number>>

/** An attempt to register memory. */
export interface RegistrationFacts {
  readonly byteLength: number
  /** The errno's name; `undefined` when it went well. */
  readonly error: string | undefined
}

/** What came of connecting to itself at an address. */
export interface SelfConnectionFacts {
  readonly address: string
  /** What it failed with; `undefined` when the messages came back as they were. */
  readonly error: string | undefined
  readonly roundTripMicroseconds: number | undefined
}

/** A device of the kernel. */
export interface DeviceFacts {
  readonly name: string
  readonly transport: 'infiniband' | 'iwarp'
  readonly firmwareVersion: string
  /** Soft-RoCE or Soft-iWARP. */
  readonly isSoftware: boolean
  /** Whether the libraries can open it. */
  readonly opened: boolean
  /** The names of its interfaces, also of those that are in another network namespace. */
  readonly interfaces: readonly string[]
  readonly ports: readonly PortFacts[]
  /** Local addresses that the connection manager puts on this device. */
  readonly addresses: readonly string[]
  readonly registrations: readonly RegistrationFacts[]
  readonly selfConnections: readonly SelfConnectionFacts[]
  /** What its counters of trouble rose by meanwhile, by port and name. */
  readonly rose: Counters
}

/** Everything that was found. */
export interface Facts {
  readonly process: ProcessFacts
  readonly modules: readonly ModuleFacts[]
  readonly libraries: LibraryFacts
  /** What listing devices failed with, such as `ENOSYS`. */
  readonly listError: string | undefined
  readonly deviceFiles: readonly DeviceFileFacts[]
  readonly interfaces: readonly InterfaceFacts[]
  readonly devices: readonly DeviceFacts[]
}
