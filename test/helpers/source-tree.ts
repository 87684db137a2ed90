import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, sep } from 'node:path'
import { listMentions, type Mention, type ScannedSource, scanSource } from './source-text.js'

/** One TypeScript file of the repository. */
export interface SourceFile extends ScannedSource {
  /** Path from the root, with forward slashes. */
  readonly path: string
  readonly text: string
  readonly imports: readonly SourceImport[]
}

/** One mention of a module in a file. */
export interface SourceImport extends Mention {
  /** Path of the file that is meant; undefined for packages and for what is no TypeScript file. */
  readonly target: string | undefined
}

/** Files by path. */
export type SourceTree = ReadonlyMap<string, SourceFile>

/** Reads all TypeScript files below some folders; a folder that does not exist has none. */
export function readSourceTree(root: string, folders: readonly string[]): SourceTree {
  const texts = new Map<string, string>()
  for (const folder of folders) {
    for (const path of listTypeScript(join(root, folder))) {
      texts.set(`${folder}/${path}`, readFileSync(join(root, folder, path), 'utf8'))
    }
  }
  return makeSourceTree(texts)
}

/** Makes a tree of texts by path. */
export function makeSourceTree(texts: ReadonlyMap<string, string>): SourceTree {
  return new Map(
    [...texts].map(([path, text]) => {
      const scanned = scanSource(text)
      const imports = listMentions(scanned).map((mention) => ({
        ...mention,
        target: resolveTarget(path, mention.specifier, texts),
      }))
      return [path, { path, text, ...scanned, imports }]
    }),
  )
}

function resolveTarget(
  from: string,
  specifier: string,
  texts: ReadonlyMap<string, string>,
): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const target = posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts')
  return texts.has(target) ? target : undefined
}

function listTypeScript(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .map((path) => path.split(sep).join('/'))
      .filter((path) => path.endsWith('.ts') && !path.includes('node_modules/'))
      .sort()
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw thrown
  }
}
