/** Completion as the shells do it: each sources the script that `netts complete` prints, and is asked. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nettsCommand } from './netts-process.js'

const folder = mkdtempSync(join(tmpdir(), 'netts-completion-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const isMissing = (shell: string) => {
  const isHere =
    spawnSync(shell, ['-c', 'true']).status === 0 &&
    // Scripts for bash stand on it.
    (shell !== 'bash' || existsSync('/usr/share/bash-completion/bash_completion'))
  return !isHere && process.env.CI !== 'true'
}

/** What asks each shell for the completions of `netts WORD`, printed a line each. */
const ASK = {
  bash: `
    . /usr/share/bash-completion/bash_completion
    COMP_WORDS=(netts "$WORD"); COMP_CWORD=1; COMP_LINE="netts $WORD"; COMP_POINT=\${#COMP_LINE}
    . "$SCRIPT"
    $(complete -p netts | sed -E 's/.*-F ([^ ]+).*/\\1/') netts "$WORD" netts
    printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: `
    autoload -Uz compinit && compinit -u -d "$FOLDER/zcompdump"
    # What _describe and compadd are given is what would be shown.
    _describe() { local -a shown; shown=("\${(@P)@[-1]}" "\${(@P)@[-2]}"); print -l -- $shown }
    compadd() { print -l -- "$@" }
    . "$SCRIPT"
    words=(netts "$WORD"); CURRENT=2; BUFFER="netts $WORD"; CURSOR=\${#BUFFER}
    $_comps[netts]`,
  fish: `
    source $SCRIPT
    complete --do-complete "netts $WORD"`,
}

describe.each(Object.entries(ASK))('%s', (shell, ask) => {
  const skip = isMissing(shell)
  let script: string
  beforeAll(async () => {
    if (skip) return
    const words = await nettsCommand()
    const program = join(folder, 'netts')
    writeFileSync(program, `#!/bin/sh\nexec ${words.map((word) => `'${word}'`).join(' ')} "$@"\n`)
    chmodSync(program, 0o755)
    script = join(folder, `completion.${shell}`)
    writeFileSync(script, execFileSync(program, ['complete', shell]))
  })

  it.skipIf(skip)(`completes commands${skip ? ' (skipped: this shell is not here)' : ''}`, () => {
    const env = {
      ...process.env,
      PATH: `${folder}:${process.env.PATH}`,
      SCRIPT: script,
      FOLDER: folder,
      WORD: 'do',
    }
    const { stdout, stderr } = spawnSync(shell, [...(shell === 'zsh' ? ['-f'] : []), '-c', ask], {
      env: { ...env, NODE_OPTIONS: '', HOME: folder },
      encoding: 'utf8',
    })
    expect(stdout, stderr).toMatch(/^doctor\b/m)
    expect(stdout).not.toMatch(/^tunnel\b/m)
  })
})
