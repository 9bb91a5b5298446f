/** Code of an application that is to be tested. It takes its driver as an argument. */
import { type Address, connect, isNettsError, type TransportBuilder } from '@netts/core'

/** Asks for a price. @returns the price of the item in cents; `undefined` without an answer within a second */
export async function priceOf(
  builder: TransportBuilder,
  address: Address,
  item: string,
): Promise<number | undefined> {
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), 1000)
  const { signal } = deadline
  try {
    await using connection = await connect(builder, address, { signal })
    await connection.send(Buffer.from(item), { signal })
    const answer = await connection.recv({ signal })
    if (!answer) throw new Error('the price service ended the connection')
    return Number(answer.toString())
  } catch (error) {
    if (isNettsError(error) && error.code === 'ERR_NETTS_ABORTED') return undefined
    throw error
  } finally {
    clearTimeout(timer)
  }
}
