/** Parsers of arguments. commander ends the process with the errors that they throw. */
import { InvalidArgumentError } from 'commander'
import { parseEndpoint, type TunnelEndpoint } from './endpoint.js'

/** Parses an address with its transport. */
export function endpoint(text: string): TunnelEndpoint {
  try {
    return parseEndpoint(text)
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}

/** Makes a parser of whole numbers in a range. */
export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`it is a whole number from ${least} to ${most}.`)
    }
    return value
  }
}
