// Puts the entry of the executor threads and what it imports into one file: a thread starts several times faster from
// one file than from the three hundred that it is made of, and a thread is started whenever another had to be stopped.
// A CommonJS file, as Node reads one twice as fast as a module, and the packages that it requires as well.
import { build } from 'esbuild'

// The process of migrations starts whenever a plugin has some to run, for the same reasons.
for (const entry of ['executor', 'migration-process'])
  await build({
    entryPoints: [`dist/src/${entry}.js`],
    outfile: `dist/src/${entry}.bundle.cjs`,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    sourcemap: true,
    // Native code, and the WebAssembly module that is looked up beside its package.
    external: ['better-sqlite3', '@node-rs/argon2', 'wasmoon'],
    define: { 'import.meta.url': 'moduleUrl' },
    banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
    logLevel: 'warning',
  })
