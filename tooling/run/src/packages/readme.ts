/** The runnable examples of a README: its `js` and `ts` blocks. */
import { readFileSync } from 'node:fs'

/** A fenced block of code. */
export interface Example {
  readonly language: 'js' | 'ts'
  readonly code: string
  /** The line on which it begins, from 1. */
  readonly line: number
}

/** Every `js` and `ts` block of a Markdown file. Other languages, and `js no-run` blocks, are not examples. */
export function readmeExamples(file: string): Example[] {
  const examples: Example[] = []
  let open: { language: 'js' | 'ts'; line: number; lines: string[] } | undefined
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((text, index) => {
      if (open && text.startsWith('```')) {
        examples.push({ language: open.language, code: `${open.lines.join('\n')}\n`, line: open.line })
        open = undefined
      } else if (open) {
        open.lines.push(text)
      } else {
        const language = /^```(js|ts)$/.exec(text)?.[1] as 'js' | 'ts' | undefined
        if (language) open = { language, line: index + 1, lines: [] }
      }
    })
  return examples
}
