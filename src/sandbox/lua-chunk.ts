/** Constants of `ldump.c` and `lobject.h` of Lua 5.4. */
const headerBytes = 4 + 1 + 1 + 6 + 3 + 8 + 8
const constantBytes: Readonly<Record<number, number>> = { 0: 0, 1: 0, 17: 0, 19: 8, 3: 8 }
const stringConstants: readonly number[] = [0x04, 0x14]
const instructionBytes = 4
const absoluteLine = -0x80

/**
 * Reads out of Lua 5.4 bytecode, made by this host's own compiler, which lines its functions have code for.
 *
 * @throws Error when it is not the bytecode of that version.
 */
export function linesOfChunk(bytes: Uint8Array): ReadonlySet<number> {
  const lines = new Set<number>()
  new ChunkReader(bytes).readInto(lines)
  return lines
}

class ChunkReader {
  readonly #bytes: Buffer
  #at = headerBytes

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  readInto(lines: Set<number>): void {
    if (this.#bytes.toString('latin1', 0, 5) !== '\u001bLua\u0054') throw new Error('not bytecode of Lua 5.4')
    this.#skip(1)
    this.#readFunction(lines)
    if (this.#at !== this.#bytes.length) throw new Error('bytecode goes on behind its main function')
  }

  #readFunction(lines: Set<number>): void {
    this.#skipString()
    const firstLine = this.#readSize()
    this.#readSize()
    this.#skip(1)
    const isVararg = this.#readByte() !== 0
    this.#skip(1)
    this.#skip(this.#readSize() * instructionBytes)
    this.#skipConstants()
    this.#skip(this.#readSize() * 3)
    const functions = this.#readSize()
    for (let count = 0; count < functions; count += 1) this.#readFunction(lines)
    this.#readLines(firstLine, isVararg, lines)
    this.#skipNames()
  }

  /** Each instruction has the difference to the line before it, or stands in a list of absolute lines. */
  #readLines(firstLine: number, isVararg: boolean, lines: Set<number>): void {
    const count = this.#readSize()
    const start = this.#at
    this.#skip(count)
    const absolute = new Map<number, number>()
    const absolutes = this.#readSize()
    for (let at = 0; at < absolutes; at += 1) absolute.set(this.#readSize(), this.#readSize())
    let line = firstLine
    for (let at = 0; at < count; at += 1) {
      const step = this.#bytes.readInt8(start + at)
      line = step === absoluteLine ? (absolute.get(at) ?? line) : line + step
      // The first instruction of a function with "..." only arranges its arguments.
      if (at > 0 || !isVararg) lines.add(line)
    }
  }

  #skipConstants(): void {
    const count = this.#readSize()
    for (let at = 0; at < count; at += 1) {
      const type = this.#readByte()
      if (stringConstants.includes(type)) this.#skipString()
      else {
        const bytes = constantBytes[type]
        if (bytes === undefined) throw new Error(`bytecode has a constant of the unknown type ${type}`)
        this.#skip(bytes)
      }
    }
  }

  #skipNames(): void {
    const locals = this.#readSize()
    for (let at = 0; at < locals; at += 1) {
      this.#skipString()
      this.#readSize()
      this.#readSize()
    }
    const upvalues = this.#readSize()
    for (let at = 0; at < upvalues; at += 1) this.#skipString()
  }

  /** A size of 0 is no string at all. */
  #skipString(): void {
    const size = this.#readSize()
    if (size > 0) this.#skip(size - 1)
  }

  /** Seven bits in each byte, the highest first; the last byte has its high bit set. */
  #readSize(): number {
    let value = 0
    for (;;) {
      const byte = this.#readByte()
      value = value * 128 + (byte & 0x7f)
      if ((byte & 0x80) !== 0) return value
    }
  }

  #readByte(): number {
    const byte = this.#bytes.readUInt8(this.#at)
    this.#at += 1
    return byte
  }

  #skip(bytes: number): void {
    this.#at += bytes
  }
}
