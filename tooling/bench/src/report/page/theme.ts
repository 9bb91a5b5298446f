/** Colours of the charts: netts stands out, its peers keep theirs from chart to chart, light and dark. */

export interface Theme {
  readonly text: string
  readonly muted: string
  readonly line: string
  colorOf(contender: string): string
}

const NETTS: readonly string[] = ['#0b84f3', '#12a150', '#8e44dd', '#e0439b', '#0aa5a5', '#5b6ee1']
const PEERS: readonly string[] = ['#8a929c', '#c58b1a', '#c2554d', '#7a8f3c', '#a0714f', '#6f7d8c']

/** The page's own colours, read from its styles, and one for each contender by its place in the list. */
export function currentTheme(contenders: readonly { readonly id: string; readonly title: string }[]): Theme {
  const style = getComputedStyle(document.documentElement)
  const colors = new Map<string, string>()
  let netts = 0
  let peers = 0
  for (const { id, title } of contenders) {
    const color = title.startsWith('@netts/') ? NETTS[netts++ % NETTS.length] : PEERS[peers++ % PEERS.length]
    colors.set(id, color as string)
  }
  return {
    text: style.getPropertyValue('--text').trim(),
    muted: style.getPropertyValue('--muted').trim(),
    line: style.getPropertyValue('--line').trim(),
    colorOf: (contender) => colors.get(contender) ?? '#888888',
  }
}
