/**
 * What runs inside the lab: measures and writes the results to a file, as `inside.js REQUEST-JSON WORKER RESULT`.
 * Each line of its standard output is a call of the progress display outside.
 */
import { writeFile } from 'node:fs/promises'
import { measure, type Request } from '../run/measure.js'
import { measuredDevice } from './devices.js'

const [request = '', worker = '', result = ''] = process.argv.slice(2)

function tell(...call: (string | number)[]): void {
  process.stdout.write(`${JSON.stringify(call)}\n`)
}

const measured = await measure(
  { ...(JSON.parse(request) as Request), host: measuredDevice().address },
  worker,
  {
    begin: (total) => tell('begin', total),
    step: (what) => tell('step', what),
    done: () => tell('done'),
  },
)
await writeFile(result, JSON.stringify(measured))
