/** Names of all Lua modules that plugins can use; `registry.ts` has the modules. */
export const moduleNames: readonly string[] = [
  'db',
  'kv',
  'http',
  'hooks',
  'gateway',
  'log',
  'metrics',
  'json',
  'crypto',
  'secrets',
  'core',
  'request',
  'config',
  'auth',
]
