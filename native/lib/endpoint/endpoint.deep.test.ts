/** The tests of endpoints over many more schedules. */
process.env.NETTS_SIMULATION_ROUNDS = '600'

await import('./endpoint.test.js')

export {}
