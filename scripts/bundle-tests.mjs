// Puts compiled tests and all that they import into fewer files, for runs of many of them: in half of the time that a
// short test takes, Node looks for the hundreds of modules behind it.
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

/** Modules that look for files beside themselves go on finding them. */
const ownPlaces = {
  name: 'own-places',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]dist[\\/](?:src|cli|sdk|scripts|test)[\\/].*\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      if (!text.includes('import.meta.url')) return undefined
      const place = `const moduleUrl = ${JSON.stringify(pathToFileURL(path).href)};`
      return { contents: text.replace(/^(#!.*\n)?/, `$1${place}`) }
    })
  },
}

/** Makes the entry of a group: each of its files is a suite, by the name of the file. */
const groupEntries = (root, groups) => ({
  name: 'group-entries',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^group:/ }, ({ path }) => ({ path, namespace: 'group' }))
    onLoad({ filter: /.*/, namespace: 'group' }, ({ path }) => {
      const suites = groups
        .get(path.replace(/^group:/, ''))
        .map(
          (file) =>
            `describe(${JSON.stringify(file)}, () => void require(${JSON.stringify(join(root, file))}))`,
        )
      return { contents: [`import { describe } from 'node:test'`, ...suites].join('\n'), resolveDir: root }
    })
  },
})

/**
 * Bundles tests into a folder, under the paths that they have now.
 *
 * @param root Folder of the compiled tests.
 * @param paths Tests by their path below it.
 * @param groups Tests that run in one process, by the path that the file of the group gets.
 * @param outdir Folder for the bundles; what it had is removed.
 */
export async function bundleTests(root, paths, groups, outdir) {
  await rm(outdir, { recursive: true, force: true })
  const entries = [
    ...paths.map((path) => [path, join(root, path)]),
    ...[...groups.keys()].map((group) => [group, `group:${group}`]),
  ]
  await build({
    entryPoints: Object.fromEntries(entries.map(([path, entry]) => [path.replace(/\.js$/, ''), entry])),
    outdir,
    bundle: true,
    splitting: true,
    chunkNames: 'parts/[hash]',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    keepNames: true,
    sourcemap: true,
    sourcesContent: false,
    plugins: [ownPlaces, groupEntries(root, groups)],
    define: { 'import.meta.url': 'moduleUrl' },
    // Native code, what looks for files of its own, and what is seldom loaded.
    external: ['better-sqlite3', 'wasmoon', 'pino', '@opentelemetry/*', 'esbuild', 'playwright-core'],
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.filename);",
    },
    logLevel: 'warning',
  })
}
