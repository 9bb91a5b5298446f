/** Code that an application has, and wants to test: it takes its driver as an argument. */
import { type Address, connect, isNettsError, type TransportBuilder } from '@netts/core'

/** @returns the price of an item in cents; `undefined` when the service does not say within a second */
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
