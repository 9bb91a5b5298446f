/** The API pages: made by typedoc from every entry point of the public packages. */
import { join } from 'node:path'
import { Application } from 'typedoc'
import { PACKAGES } from './pages.js'
import { PAGES, REPOSITORY_URL, ROOT, read } from './repository.js'

/** The sources of the entry points of every public package, with the names under which users import them. */
export function entryPoints(): Map<string, string> {
  const named = PACKAGES.flatMap(({ name, folder }) => {
    const { exports } = JSON.parse(read(`${folder}/package.json`)) as { exports: Record<string, unknown> }
    return Object.entries(exports).flatMap(([path, entry]) => {
      const source = (entry as Partial<Record<string, string>>)['@netts/source']
      return source ? [[join(ROOT, folder, source), `@netts/${name}${path.slice(1)}`] as const] : []
    })
  })
  return new Map(named)
}

/** Writes `pages/api`. @throws Error when typedoc reports an error, such as a link that leads nowhere */
export async function writeApi(): Promise<void> {
  const names = entryPoints()
  const application = await Application.bootstrapWithPlugins({
    name: 'API',
    plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme'],
    tsconfig: join(ROOT, 'tsconfig.json'),
    entryPoints: [...names.keys()],
    out: join(PAGES, 'api'),
    readme: 'none',
    skipErrorChecking: true,
    excludeInternal: true,
    excludePrivate: true,
    logLevel: 'Warn',
    basePath: ROOT,
    displayBasePath: ROOT,
    sourceLinkTemplate: `${REPOSITORY_URL}/blob/main/{path}#L{line}`,
    gitRevision: 'main',
    // Known to typedoc-plugin-markdown and typedoc-vitepress-theme.
    ...({ docsRoot: PAGES, hideBreadcrumbs: true, hidePageHeader: true } as object),
  })
  const project = await application.convert()
  if (!project) throw new Error('typedoc could not read the sources')
  for (const module of project.children ?? []) {
    // typedoc names a module after its file.
    const file = module.sources?.[0]?.fullFileName
    const name = file && names.get(file)
    if (!name) throw new Error(`no entry point is called ${module.name}`)
    module.name = name
  }
  await application.generateOutputs(project)
  if (application.logger.hasErrors() || application.logger.hasWarnings()) {
    throw new Error('typedoc warned, see above')
  }
}
