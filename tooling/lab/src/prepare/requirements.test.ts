import { describe, expect, test } from 'vitest'
import { packagesToInstall } from './requirements.js'

const debian = { platform: 'linux', architecture: 'x64', isRoot: true, hasApt: true, missing: [] }

describe('a machine without what the lab needs', () => {
  test('installs it as root on Debian', () => {
    expect(packagesToInstall({ ...debian, missing: ['perftest'] })).toEqual(['perftest'])
  })

  test('says the exact command to others', () => {
    const machine = { ...debian, isRoot: false, missing: ['qemu-system-x86', 'perftest'] }
    const command = 'sudo apt-get install -y --no-install-recommends qemu-system-x86 perftest'
    expect(() => packagesToInstall(machine)).toThrow(command)
  })

  test('needs no root when all is there', () => {
    expect(packagesToInstall({ ...debian, isRoot: false })).toEqual([])
  })

  test('says a container command where there is no apt, no Linux, or another processor', () => {
    for (const lack of [{ hasApt: false }, { platform: 'darwin' }, { architecture: 'arm64' }]) {
      expect(() => packagesToInstall({ ...debian, ...lack })).toThrow('docker run')
    }
  })
})
