import { library } from '../tooling/presets/tsup.js'

export default library(
  { index: 'lib/index.ts', endpoint: 'lib/endpoint.ts', simulated: 'lib/simulated.ts' },
  {
    esbuildOptions(options, { format }) {
      // CommonJS has `__dirname` in its place: see `lib/addon/addon-file.ts`.
      if (format === 'cjs') options.define = { ...options.define, 'import.meta.url': 'undefined' }
    },
  },
)
