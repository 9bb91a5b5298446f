/** The order of the site: what the sidebar and `llms.txt` list. */

/** A page, by its path without an ending. */
export interface Page {
  readonly title: string
  readonly path: string
}

/** Pages under one heading. */
export interface Section {
  readonly title: string
  readonly pages: readonly Page[]
}

/** Packages whose README is a page. */
export const PACKAGES: readonly { readonly name: string; readonly folder: string }[] = [
  ...[
    'core',
    'tcp',
    'rdma-sendrecv',
    'rdma-ring',
    'tls',
    'pool',
    'stream',
    'mock',
    'conformance',
    'cli',
    'otel',
  ].map((name) => ({ name, folder: `packages/${name}` })),
  { name: 'verbs', folder: 'native' },
]

export const SECTIONS: readonly Section[] = [
  {
    title: 'Guide',
    pages: [
      { title: 'Start', path: '/start' },
      { title: 'Choose a transport', path: '/transports' },
      { title: 'RPC', path: '/rpc' },
      { title: 'TLS', path: '/tls' },
      { title: 'Pool', path: '/pool' },
      { title: 'Software over RDMA', path: '/software' },
      { title: 'Testing with the mock', path: '/testing' },
      { title: 'Examples', path: '/examples' },
    ],
  },
  {
    title: 'Operation',
    pages: [
      { title: 'Doctor', path: '/doctor' },
      { title: 'Containers and Kubernetes', path: '/kubernetes' },
      { title: 'Limits and pinned memory', path: '/limits' },
      { title: 'Benchmarks', path: '/reference/benchmarks' },
    ],
  },
  {
    title: 'Reference',
    pages: [
      { title: 'Errors', path: '/reference/errors' },
      ...PACKAGES.map(({ name }) => ({ title: `@netts/${name}`, path: `/reference/${name}` })),
      { title: 'Protocol: TCP messages', path: '/protocols' },
      { title: 'Protocol: rdma-sendrecv', path: '/reference/protocol-rdma-sendrecv' },
      { title: 'Protocol: rdma-ring', path: '/reference/protocol-rdma-ring' },
      { title: 'What doctor finds', path: '/reference/doctor' },
      { title: 'For authors of drivers', path: '/drivers' },
      { title: 'API', path: '/api/' },
    ],
  },
]
