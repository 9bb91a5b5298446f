/**
 * The extremes of what an end may have and every way to wait, of both ends, in pairs: the orthogonal array L9 has every
 * pair of three levels of four factors in nine rows.
 */
import type { Polling, RdmaOptions } from '@netts/verbs/endpoint'
import type { EndSettings } from './tested-driver.js'

const POLLINGS: readonly Polling[] = ['event', 'adaptive', 'busy']

/** The three of the nine rows whose client has this level. @param levels three of them, by name */
export function settingsWithClient<O extends RdmaOptions>(
  levels: Readonly<Record<string, O>>,
  client: string,
): Record<string, EndSettings<O>> {
  const names = Object.keys(levels)
  const row = names.indexOf(client)
  const settings = POLLINGS.map((polling, column): [string, EndSettings<O>] => {
    const server = names[(row + column) % 3]!
    const serverPolling = POLLINGS[(2 * row + column) % 3]!
    return [
      `${client}, ${polling}, against ${server}, ${serverPolling}`,
      {
        client: { ...levels[client]!, polling },
        server: { ...levels[server]!, polling: serverPolling },
      },
    ]
  })
  return Object.fromEntries(settings)
}
