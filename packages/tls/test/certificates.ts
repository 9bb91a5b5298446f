/** Certificates, made by the `openssl` program when a test needs them: nothing secret is kept in the repository. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate with its key, in PEM. */
export interface Issued {
  readonly cert: string
  readonly key: string
}

/** What a certificate is to say. */
export interface Subject {
  /** The common name. */
  readonly name: string
  /** Such as `DNS:localhost,IP:127.0.0.1`. */
  readonly altNames?: string
  /** How long it is valid from now on; negative for one that has expired. @default 2 */
  readonly days?: number
}

/** A certificate authority for one test file. */
export class Authority {
  readonly cert: string
  readonly #key: string

  constructor(name: string) {
    const { cert, key } = selfSigned({ name })
    this.cert = cert
    this.#key = key
  }

  issue({ name, altNames, days = 2 }: Subject): Issued {
    return withFiles({ 'ca.pem': this.cert, 'ca.key': this.#key }, (run, read, write) => {
      run(['req', '-new', ...newKey, '-keyout', 'key.pem', '-out', 'request.pem', '-subj', `/CN=${name}`])
      write('extensions', altNames ? `subjectAltName=${altNames}\n` : 'keyUsage=digitalSignature\n')
      // An end in the past is only accepted by `ca`, which wants a directory of its own.
      write('index.txt', '')
      write('serial', '01')
      write(
        'ca.conf',
        [
          '[ca]',
          'default_ca=it',
          '[it]',
          'database=index.txt',
          'serial=serial',
          'new_certs_dir=.',
          'policy=any',
          'default_md=sha256',
          'unique_subject=no',
          '[any]',
          'commonName=supplied',
          '',
        ].join('\n'),
      )
      const now = Date.now()
      const range = ['-startdate', date(now - 3 * DAY_MS), '-enddate', date(now + days * DAY_MS)]
      run(
        [
          'ca',
          '-batch',
          '-config',
          'ca.conf',
          '-notext',
          '-cert',
          'ca.pem',
          '-keyfile',
          'ca.key',
          ...range,
        ].concat(['-extfile', 'extensions', '-in', 'request.pem', '-out', 'cert.pem']),
      )
      return { cert: read('cert.pem'), key: read('key.pem') }
    })
  }
}

const DAY_MS = 24 * 3600 * 1000
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** A certificate that vouches for itself. */
export function selfSigned({ name, altNames }: Subject): Issued {
  return withFiles({}, (run, read) => {
    run([
      ...['req', '-x509', ...newKey, '-keyout', 'key.pem', '-out', 'cert.pem', '-days', '2'],
      ...['-subj', `/CN=${name}`, ...(altNames ? ['-addext', `subjectAltName=${altNames}`] : [])],
    ])
    return { cert: read('cert.pem'), key: read('key.pem') }
  })
}

/** YYMMDDHHMMSSZ. */
function date(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`
}

function withFiles<T>(
  files: Readonly<Record<string, string>>,
  use: (
    run: (parameters: string[]) => void,
    read: (name: string) => string,
    write: (name: string, text: string) => void,
  ) => T,
): T {
  const cwd = mkdtempSync(join(tmpdir(), 'netts-tls-'))
  const write = (name: string, text: string) => writeFileSync(join(cwd, name), text)
  try {
    for (const [name, text] of Object.entries(files)) write(name, text)
    return use(
      (parameters) => void execFileSync('openssl', parameters, { cwd, stdio: 'pipe' }),
      (name) => readFileSync(join(cwd, name), 'utf8'),
      write,
    )
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
}
