// Puts the command into a few files: Node takes longer to find and link the nine hundred modules that it is made of
// than to run them. What is loaded only when it is needed stays in files of its own.
import { readFile, rm } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import { build } from 'esbuild'

const outdir = resolve('dist/bundle')

/** Modules that look for files beside themselves go on finding them. */
const ownPlaces = {
  name: 'own-places',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]dist[\\/](?:src|cli)[\\/].*\.js$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      if (!text.includes('import.meta.url')) return undefined
      const place = relative(outdir, path).split(sep).join('/')
      return { contents: text.replaceAll('import.meta.url', `new URL('${place}', import.meta.url).href`) }
    })
  },
}

await rm(outdir, { recursive: true, force: true })
await build({
  entryPoints: [join('dist', 'cli', 'main.js')],
  outdir,
  bundle: true,
  splitting: true,
  chunkNames: 'part-[hash]',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  plugins: [ownPlaces],
  // Native code, what looks for files of its own, and what is seldom loaded.
  external: ['better-sqlite3', '@node-rs/argon2', 'wasmoon', 'pino', '@opentelemetry/*'],
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
  logLevel: 'warning',
})
