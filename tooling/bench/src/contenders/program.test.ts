import { expect, test } from 'vitest'
import { readBandwidth, readLatency } from './perftest.js'
import { missing, runPair } from './program.js'
import { readTransferUs } from './rstream.js'

test('reads the table of ib_send_lat, as round trips', () => {
  const output = ` #bytes #iterations    t_min[usec]    t_max[usec]  t_typical[usec]    t_avg[usec]    t_stdev[usec]   99% percentile[usec]   99.9% percentile[usec]
 64      1000          15.05          8243.78      17.03    \t       1482.72     \t2165.68\t\t7991.01 \t\t8243.78
---------------------------------------------------------------------------------------`
  const figures = readLatency(output)
  expect(figures.p50).toBeCloseTo(34_060)
  expect(figures.mean).toBeCloseTo(2_965_440)
  expect(figures.p99).toBeCloseTo(15_982_020)
  expect(figures.p999).toBeCloseTo(16_487_560)
})

test('reads the table of ib_send_bw: units of 2^20 bytes for large messages, the message rate for small ones', () => {
  const output = ` #bytes     #iterations    BW peak[MB/sec]    BW average[MB/sec]   MsgRate[Mpps]
 65536      500              21.69              17.58  \t\t   0.000281
`
  expect(readBandwidth(output, 65536).rate).toBeCloseTo(281.28)
  expect(readBandwidth(output, 65536).bandwidth).toBeCloseTo(18.434)
  expect(readBandwidth(output.replace('65536', '64'), 64).rate).toBeCloseTo(281)
})

test('reads the last column of rstream', () => {
  const output = `name      bytes   xfers   iters   total       time     Gb/sec    usec/xfer
custom    64k     1k      1       125m       13.80s      0.08    6901.25
`
  expect(readTransferUs(output)).toBe(6901.25)
})

test('output without results is an error that shows it', () => {
  expect(() => readLatency('no device')).toThrow('no device')
  expect(() => readBandwidth('no device', 64)).toThrow('no device')
  expect(() => readTransferUs('no device')).toThrow('no device')
})

test('a client is tried again until its server listens, and the server is ended', async () => {
  const node = (code: string) => [process.execPath, '-e', code]
  const port = 20_000 + (process.pid % 20_000)
  const server = node(
    `setTimeout(() => require('net').createServer((s) => s.end('hello')).listen(${port}), 500)`,
  )
  const client = node(
    `require('net').connect(${port}).on('error', () => process.exit(1)).pipe(process.stdout)`,
  )
  expect(await runPair(server, client)).toBe('hello')
})

test('a program that is not there is named, with the package that has it', async () => {
  expect(await missing(['sh'], 'dash')).toBeUndefined()
  expect(await missing(['sh', 'no-such-program'], 'some-package')).toMatch(/no-such-program.*some-package/)
})
