import { library } from '../../tooling/presets/tsup.js'

export default library({ index: 'src/index.ts', driver: 'src/driver.ts', lifecycle: 'src/lifecycle.ts' })
