import { library } from '../../tooling/presets/tsup.js'

export default library({ index: 'src/index.ts' })
