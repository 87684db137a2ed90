// Puts the entry of the executor threads and what it imports into one file: a thread starts several times faster from
// one file than from the three hundred that it is made of, and a thread is started whenever another had to be stopped.
import { build } from 'esbuild'

await build({
  entryPoints: ['dist/src/executor.js'],
  outfile: 'dist/src/executor.bundle.js',
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  sourcemap: true,
  // Native code, and the WebAssembly module that is looked up beside its package.
  external: ['better-sqlite3', 'wasmoon'],
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
  logLevel: 'warning',
})
