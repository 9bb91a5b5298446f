/** Writes and reads: `client.ts 7001,7002,7003 put KEY VALUE`, or `get KEY`. */
import { openStore } from './store.js'

const [ports = '', operation = '', key = '', value = ''] = process.argv.slice(2)
const store = openStore(ports.split(',').map((port) => ({ host: '127.0.0.1', port: Number(port) })))
if (operation === 'put') await store.put(key, value)
console.log(key, '=', await store.get(key))
await store.close()
