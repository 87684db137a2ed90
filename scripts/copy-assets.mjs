// Copies what the TypeScript compiler leaves behind (Lua sources) next to the compiled code.
import { cpSync } from 'node:fs'

cpSync('src', 'dist/src', { recursive: true, filter: (path) => !path.endsWith('.ts') })
