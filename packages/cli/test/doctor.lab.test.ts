/** What `netts doctor` says where RDMA works. What it says where it does not is in `doctor-conditions.deep.lab.test.ts`. */
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { doctor, isNetts } from './doctor-process.js'
import { assertSaid } from './said.js'

if (!(await isNetts())) {
  it('says that every device works, and ends with status 0', () => {
    const { status, works, findings } = doctor()
    assert.equal(status, 0, JSON.stringify(findings))
    assert.equal(works, true)
    for (const { name } of JSON.parse(process.env.NETTS_LAB_DEVICES!) as { name: string }[]) {
      const tried = findings.filter(({ check, message }) => check === 'connection' && message.includes(name))
      assert.deepEqual(
        tried.map(({ verdict }) => verdict),
        ['ok'],
        JSON.stringify(findings),
      )
    }
    // The table is about a guest's devices, and their counters know of the tests before this one.
    if (process.env.NETTS_LAB === 'guest') assertSaid('good order', findings, 'counters')
  })
}
