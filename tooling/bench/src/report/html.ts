/** The report as one HTML file: styles, charts and data inside, nothing loaded from anywhere. */
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Report } from '../figures/report.js'

/** @returns the whole document */
export async function renderHtml(report: Report): Promise<string> {
  const { script, style } = await bundlePage()
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>netts and its peers: benchmark</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<noscript>The charts of this report are drawn by a script.</noscript>
<main id="report"></main>
<script type="application/json" id="data">${inScript(JSON.stringify(report))}</script>
<script>${inScript(script)}</script>
</body>
</html>
`
}

async function bundlePage(): Promise<{ script: string; style: string }> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./page/main.ts', import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    outdir: 'page',
    format: 'iife',
    target: 'es2022',
    logLevel: 'warning',
  })
  const textOf = (extension: string) => outputFiles.find(({ path }) => path.endsWith(extension))?.text ?? ''
  return { script: textOf('.js'), style: textOf('.css') }
}

/** Text within a script element ends at the first `</script`, whatever is around it. */
function inScript(text: string): string {
  return text.replaceAll('</', '<\\/')
}
