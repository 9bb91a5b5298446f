import { library } from '../../tooling/presets/tsup.js'

export default library({
  index: 'src/index.ts',
  driver: 'src/driver.ts',
  grpc: 'src/grpc.ts',
  http: 'src/http.ts',
  http2: 'src/http2.ts',
  undici: 'src/undici.ts',
})
