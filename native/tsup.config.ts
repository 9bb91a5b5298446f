import { library } from '../tooling/presets/tsup.js'

export default library(
  { index: 'lib/index.ts', endpoint: 'lib/endpoint.ts', simulated: 'lib/simulated.ts' },
  { shims: true },
)
