import { library } from '../../tooling/presets/tsup.js'

const index = 'src/index.ts'

export default library({ index }, { entry: { index, main: 'src/main.ts' } })
