import { library } from '@netts/presets/tsup'

export default library({ index: 'lib/index.ts', endpoint: 'lib/endpoint.ts', simulated: 'lib/simulated.ts' })
