/** The facts that the doctor found about this machine and this process: plain data, which `checks/` judges. */

/** A number of bytes, or no limit. */
export type ByteLimit = number | 'unlimited'

/** The process: its user, rights and limits. */
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
  /** Whether its user namespace is not the initial one of the machine. */
  readonly inUserNamespace: boolean
  /** The kind of container that it runs in, such as `Docker`; `undefined` if none was detected. */
  readonly container: string | undefined
  /** `shared`: every network namespace has all devices. `undefined` without the module ib_core. */
  readonly rdmaNamespaces: 'shared' | 'exclusive' | undefined
  /** The limits of its control group for RDMA. */
  readonly cgroupLimits: readonly CgroupLimit[]
}

/** What a control group allows of one device (`rdma.max`). */
export interface CgroupLimit {
  readonly device: string
  readonly handles: number | 'max'
  readonly objects: number | 'max'
}

/** A module of the kernel; `available` means that it is on the disk but not loaded. */
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

/** A file in `/dev/infiniband` that programs over RDMA open. */
export interface DeviceFileFacts {
  readonly path: string
  /** The device behind it; `undefined` for that of the connection manager. */
  readonly device: string | undefined
  /** The errno's name of an attempt to open it for reading and writing; `undefined` if it can be opened. */
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

/** A port, from sysfs and from the device. */
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
  /** The errno's name; `undefined` after a success. */
  readonly error: string | undefined
}

/** The result of connecting to itself at an address. */
export interface SelfConnectionFacts {
  readonly address: string
  /** The error; `undefined` if the messages came back unchanged. */
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
  /** The names of its interfaces, those in other network namespaces included. */
  readonly interfaces: readonly string[]
  readonly ports: readonly PortFacts[]
  /** Local addresses that the connection manager binds to this device. */
  readonly addresses: readonly string[]
  readonly registrations: readonly RegistrationFacts[]
  readonly selfConnections: readonly SelfConnectionFacts[]
  /** By how much its error counters increased during the checks, by port and name. */
  readonly rose: Counters
}

/** All facts. */
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
