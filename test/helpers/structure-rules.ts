import type { SourceFile, SourceTree } from './source-tree.js'

/** A rule looks at all files and lists those that break it, one readable line each. */
export type StructureRule = (tree: SourceTree) => readonly string[]

/** A folder of src/ imports only folders of a lower level. */
const levels: Readonly<Record<string, number>> = {
  base: 0,
  areas: 1,
  config: 1,
  telemetry: 1,
  database: 1,
  sandbox: 1,
  server: 1,
  identity: 2,
  kv: 2,
  outbound: 2,
  schedule: 2,
  gateway: 3,
  content: 3,
  capabilities: 4,
  plugins: 5,
  admin: 6,
  harness: 6,
  host: 7,
}

/** The files directly in src/ are what is started. */
const rootLevel = 8

/** What the command line may use of src/: reading configuration, plugins and the sandbox, and starting a host. */
const cliFolders = ['base', 'config', 'sandbox', 'capabilities', 'plugins', 'harness', 'host', '']

/** Packages that one folder hides from the rest; others may name their types. */
const owners: Readonly<Record<string, string>> = {
  wasmoon: 'src/sandbox/',
  'better-sqlite3': 'src/database/',
  opossum: 'src/plugins/',
  chokidar: 'src/plugins/',
}

const linesMax = 400

/** Starts of everything that runs: the package, the process, a thread, the command, scripts and tests. */
const entries = [
  /^src\/(?:host|main|executor)\.ts$/,
  /^cli\/main\.ts$/,
  /^sdk\/client\/index\.ts$/,
  /^scripts\//,
  /^test\//,
]

/** Folder of a file of src/; the empty text for files directly in it, undefined outside. */
function folderOf(path: string): string | undefined {
  const [top, folder, ...rest] = path.split('/')
  if (top !== 'src') return undefined
  return rest.length === 0 ? '' : folder
}

function isProduct(path: string): boolean {
  return /^(?:src|cli|sdk)\//.test(path)
}

function productFiles(tree: SourceTree): readonly SourceFile[] {
  return [...tree.values()].filter(({ path }) => isProduct(path))
}

/** Lists every place of a pattern in the files as `path:line`. */
function findPlaces(
  files: readonly SourceFile[],
  pattern: RegExp,
  content: (file: SourceFile) => string,
): readonly string[] {
  return files.flatMap((file) =>
    [...content(file).matchAll(new RegExp(pattern.source, `g${pattern.flags}`))].map((found) => {
      const line = content(file).slice(0, found.index).split('\n').length
      return `${file.path}:${line} has "${found[0].trim()}"`
    }),
  )
}

/** Imports go to a lower level, or stay in their folder. */
export const followsLevels: StructureRule = (tree) =>
  productFiles(tree).flatMap(({ path, imports }) =>
    imports.flatMap(({ target, kind }) => {
      const refusal = target === undefined || kind === 'url' ? undefined : refuseEdge(path, target)
      return refusal === undefined ? [] : [`${path} imports ${target}: ${refusal}`]
    }),
  )

function refuseEdge(from: string, to: string): string | undefined {
  const fromFolder = folderOf(from)
  const toFolder = folderOf(to)
  if (!isProduct(to)) return 'the product does not import what is outside it'
  if (from.startsWith('sdk/')) return to.startsWith('sdk/') ? undefined : 'sdk/client stands alone'
  if (from.startsWith('cli/')) {
    if (toFolder === undefined || cliFolders.includes(toFolder)) return undefined
    return `cli/ does not import src/${toFolder}/`
  }
  if (toFolder === undefined) return 'src/ imports neither cli/ nor sdk/'
  if (fromFolder === toFolder) return undefined
  const fromLevel = levelOf(fromFolder)
  const toLevel = levelOf(toFolder)
  if (fromLevel === undefined || toLevel === undefined) return 'the folder has no level in structure-rules.ts'
  return toLevel < fromLevel ? undefined : `level ${fromLevel} does not import level ${toLevel}`
}

function levelOf(folder: string | undefined): number | undefined {
  if (folder === '') return rootLevel
  return folder === undefined ? undefined : levels[folder]
}

/** No file reaches itself by imports, those of types included. */
export const hasNoCycle: StructureRule = (tree) => {
  const finished = new Set<string>()
  const trail: string[] = []
  const cycles: string[] = []
  const visit = (path: string): void => {
    const start = trail.indexOf(path)
    if (start >= 0) cycles.push([...trail.slice(start), path].join(' -> '))
    if (start >= 0 || finished.has(path)) return
    trail.push(path)
    for (const { target, kind } of tree.get(path)?.imports ?? []) {
      if (target !== undefined && kind !== 'url') visit(target)
    }
    trail.pop()
    finished.add(path)
  }
  for (const path of tree.keys()) visit(path)
  return cycles
}

/** Some packages are imported, as values, by their own folder only. */
export const hidesPackages: StructureRule = (tree) =>
  productFiles(tree).flatMap(({ path, imports }) =>
    imports.flatMap(({ specifier, kind }) => {
      const owner = owners[specifier]
      if (owner === undefined || kind === 'type' || path.startsWith(owner)) return []
      return [`${path} imports ${specifier}, which belongs to ${owner}`]
    }),
  )

/** Only the composition root and the command line read the configuration. */
export const keepsConfigAtTheRoot: StructureRule = (tree) =>
  productFiles(tree).flatMap(({ path, imports }) => {
    if (/^(?:cli\/|src\/config\/|src\/host\/|src\/[\w-]+\.ts$)/.test(path)) return []
    return imports
      .filter(({ target }) => target?.startsWith('src/config/'))
      .map(({ target }) => `${path} imports ${target}`)
  })

/** No file grows beyond what one sitting can read. */
export const staysShort: StructureRule = (tree) =>
  productFiles(tree)
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines > linesMax)
    .map(({ path, lines }) => `${path} has ${lines} lines; the limit is ${linesMax}`)

/** Every export has a name. */
export const exportsByName: StructureRule = (tree) =>
  findPlaces(productFiles(tree), /\bexport\s+default\b|\bas\s+default\b/, ({ code }) => code)

/** Work that is left belongs into an issue. */
export const leavesNoMarks: StructureRule = (tree) =>
  findPlaces(productFiles(tree), /\b(?:TODO|FIXME|XXX)\b/, ({ text }) => text)

/** A file is named for what it is. */
export const namesFiles: StructureRule = (tree) =>
  productFiles(tree)
    .map(({ path }) => path)
    .filter(
      (path) => /(?:^|[/.-])(?:utils?|helpers?|misc|common)(?:[/.-]|$)/i.test(path) || /[A-Z_]/.test(path),
    )
    .map((path) => `${path} is not named in kebab-case for what it holds`)

/** A failing plugin never ends the process. */
export const neverExits: StructureRule = (tree) => {
  const files = productFiles(tree).filter(({ path }) => path !== 'src/main.ts' && !path.startsWith('cli/'))
  return findPlaces(files, /\bprocess\s*\.\s*(?:exit|abort|reallyExit)\b/, ({ code }) => code)
}

/** Modules hold no state of their own: what changes belongs to an object that somebody creates and closes. */
export const holdsNoState: StructureRule = (tree) =>
  findPlaces(
    productFiles(tree),
    /^(?:export\s+)?(?:(?:let|var)\s+[\w$]+|const\s+[\w$]+(?::(?!\s*Readonly)[^=\n]+)?\s*=\s*new\s+(?:Map|Set|WeakMap|WeakSet|Array)\b)/m,
    ({ code }) => code,
  )

/** Imports name the file that defines the thing; only the package's front doors pass things on. */
export const hasNoBarrel: StructureRule = (tree) =>
  productFiles(tree)
    .filter(({ path }) => path !== 'src/host.ts' && path !== 'sdk/client/index.ts')
    .filter(
      ({ path, code }) => /\/index\.ts$/.test(path) || /^\s*export\s+\*/m.test(code) || isPassingOn(code),
    )
    .map(({ path }) => `${path} only passes on what other files define`)

function isPassingOn(code: string): boolean {
  const rest = code.replace(/^\s*export\s+(?:type\s+)?\{[^{}]*\}\s*from\s*"#\d+"/gm, '')
  return rest !== code && rest.trim() === ''
}

/** Everything in src/ is used by something that runs. */
export const isReachable: StructureRule = (tree) => {
  const open = [...tree.keys()].filter((path) => entries.some((entry) => entry.test(path)))
  const reached = new Set(open)
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    for (const { target } of tree.get(path)?.imports ?? []) {
      if (target === undefined || reached.has(target)) continue
      reached.add(target)
      open.push(target)
    }
  }
  return productFiles(tree)
    .filter(({ path }) => !reached.has(path))
    .map(({ path }) => `${path} is imported by nothing that runs`)
}

/** Every dependency of ours is imported by something of ours. */
export function usesPackages(dependencies: readonly string[]): StructureRule {
  return (tree) => {
    const imported = new Set(
      productFiles(tree).flatMap(({ imports }) => imports.map(({ specifier }) => packageOf(specifier))),
    )
    return dependencies
      .filter((name) => !imported.has(name))
      .map((name) => `package.json lists ${name}, which nothing imports`)
  }
}

/** Name of the package that is meant by what an import names. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** Every package that is imported at run time is a dependency of ours, not of a dependency. */
export function declaresPackages(dependencies: readonly string[]): StructureRule {
  return (tree) =>
    productFiles(tree).flatMap(({ path, imports }) =>
      imports.flatMap(({ specifier, kind }) => {
        if (kind === 'type' || /^(?:\.|node:)/.test(specifier)) return []
        return dependencies.includes(packageOf(specifier))
          ? []
          : [`${path} imports ${specifier}, which package.json does not list`]
      }),
    )
}
