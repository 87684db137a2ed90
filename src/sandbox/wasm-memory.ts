const headerBytes = 8
const memorySection = 5

/**
 * Lowers the initial size of a module's linear memory. The engine counts the whole initial size of every instance
 * as memory in use, although little of it is touched, and collects garbage again and again because of it.
 *
 * @param wasm A module with one memory section of one memory.
 * @param pages New initial size in pages of 64 KiB; the memory grows from there as it did before.
 * @throws Error when the module has no such section.
 */
export function withInitialPages(wasm: Uint8Array, pages: number): Uint8Array {
  let at = headerBytes
  while (at < wasm.length) {
    const id = wasm[at]
    const size = readUnsigned(wasm, at + 1)
    const end = size.next + size.value
    if (id === memorySection) {
      const count = readUnsigned(wasm, size.next)
      const flags = readUnsigned(wasm, count.next)
      const initial = readUnsigned(wasm, flags.next)
      const content = [
        ...wasm.subarray(size.next, flags.next),
        ...unsigned(pages),
        ...wasm.subarray(initial.next, end),
      ]
      const section = [memorySection, ...unsigned(content.length), ...content]
      return Buffer.concat([wasm.subarray(0, at), Uint8Array.from(section), wasm.subarray(end)])
    }
    at = end
  }
  throw new Error('the Lua module has no memory section')
}

/** Reads a LEB128 number. */
function readUnsigned(bytes: Uint8Array, at: number): { readonly value: number; readonly next: number } {
  let value = 0
  let shift = 0
  let next = at
  for (;;) {
    const byte = bytes[next] ?? 0
    next += 1
    value |= (byte & 0x7f) << shift
    if (byte < 0x80) return { value, next }
    shift += 7
  }
}

/** Writes a LEB128 number. */
function unsigned(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest)
    rest >>>= 7
  } while (rest > 0)
  return bytes
}
