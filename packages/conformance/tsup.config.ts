import { library } from '@netts/presets/tsup'

export default library({ index: 'src/index.ts' })
