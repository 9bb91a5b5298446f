import { library } from '../tooling/presets/tsup.js'

export default library(
  { index: 'lib/index.ts', endpoint: 'lib/endpoint.ts', simulated: 'lib/simulated.ts' },
  {
    esbuildOptions(options) {
      // In the CommonJS build `import.meta` is empty, which `lib/addon/addon-file.ts` expects.
      options.logOverride = { 'empty-import-meta': 'silent' }
    },
  },
)
