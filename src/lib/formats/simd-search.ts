/**
 * Looks for pieces of text sixteen bytes at a time, by WebAssembly, in memory that a log is read into: no byte is copied for it.
 * It tells where something may begin; the caller compares the rest. Two ways: two bytes at their distance for one
 * text, as fast as memory; or for many texts at once three bytes in a row, each looked up by its halves in tables that hold one bit
 * per group of texts ("Teddy", of Hyperscan and ripgrep), which takes two to three times as long however many they are.
 *
 * Where WebAssembly or its SIMD is missing (`node --jitless`, old processors) there is no search, and memory is like any other.
 */
import { block, branch, branchIf, get, i32, i8x16, loop, moduleOf, set, tee, v128, when, type Code, type WasmFunction } from './wasm.ts'

/** A byte; `anyCase`: its bit 0x20 does not count, and is set in `value`: for letters of ASCII. */
export interface ByteOf {
  value: number
  anyCase: boolean
}

/** What is used of it; the types of Node do not have it. */
declare const WebAssembly: {
  Module: new (program: Uint8Array) => object
  Instance: new (module: object, imports: object) => { exports: unknown }
  Memory: new (size: { initial: number; maximum: number; shared?: boolean }) => { buffer: ArrayBuffer }
}

/** Each gives the place in memory after the last place that it wrote. */
interface Program {
  pair(at: number, end: number, distance: number, first: number, fold1: number, second: number, fold2: number): number
  triples(at: number, end: number): number
}

const page = 64 * 1024
/**
 * The first page is the program's: where it stopped (it stops when there is no room for further places), the tables, the places. What is
 * searched begins with the second: at the beginning of a page the kernel copies two to three times as fast as 16 bytes behind it, where
 * large buffers of Node begin.
 */
const stoppedAt = 0
const tablesAt = 16
const tableSize = 16
const placesAt = 1024
/** Sixteen bytes four times at once. */
const step = 64
const placesEnd = page - 4 * step
/** What is read behind the last byte that is searched. */
const behind = 2 * step

// ---- the program ------------------------------------------------------------------

const vectors = [0, 1, 2, 3]

/**
 * Goes from `at` to `end` in steps; `match` gives the expression that is not zero in each byte where something may begin, of the sixteen
 * bytes that begin so far behind `at`.
 */
function searching(
  name: string,
  parameters: number,
  ownVectors: number,
  build: (parts: { at: Code; vector: (i: number) => number }) => { setup: Code; match: (offset: number) => Code },
): WasmFunction {
  const [at, end] = [0, 1]
  const [out, bits] = [parameters, parameters + 1]
  const result = (i: number): number => parameters + 2 + i
  const { setup, match } = build({ at: get(at), vector: (i) => result(vectors.length + i) })
  const write = (i: number): Code => [
    ...set(bits, i8x16.bitmask(i8x16.ne(get(result(i)), i8x16.splat(i32.const(0))))),
    ...block(
      loop(
        branchIf(1, i32.eqz(get(bits))),
        i32.store(get(out), i32.add(i32.add(get(at), i32.const(16 * i)), i32.ctz(get(bits)))),
        set(out, i32.add(get(out), i32.const(4))),
        // Without its lowest bit.
        set(bits, i32.and(get(bits), i32.sub(get(bits), i32.const(1)))),
        branch(0),
      ),
    ),
  ]
  const body: Code = [
    ...setup,
    ...set(out, i32.const(placesAt)),
    ...block(
      loop(
        branchIf(1, i32.geU(get(at), get(end))),
        ...vectors.map((i) => set(result(i), match(16 * i))),
        when(v128.anyTrue(vectors.map((i) => get(result(i))).reduce((a, b) => v128.or(a, b))), ...vectors.map(write)),
        set(at, i32.add(get(at), i32.const(step))),
        branchIf(0, i32.ltU(get(out), i32.const(placesEnd))),
      ),
    ),
    ...i32.store(i32.const(stoppedAt), get(at)),
    ...get(out),
  ]
  return { name, parameters, locals: { i32: 2, v128: vectors.length + ownVectors }, body }
}

/** Parameters after `at` and `end`: the distance of the bytes, and of each byte its value and the bits that do not count. */
const pair = (): WasmFunction =>
  searching('pair', 7, 4, ({ at, vector }) => ({
    setup: [3, 4, 5, 6].flatMap((parameter, i) => set(vector(i), i8x16.splat(get(parameter)))),
    match: (offset) =>
      v128.and(
        i8x16.eq(v128.or(v128.load(at, offset), get(vector(1))), get(vector(0))),
        i8x16.eq(v128.or(v128.load(i32.add(at, get(2)), offset), get(vector(3))), get(vector(2))),
      ),
  }))

const triples = (): WasmFunction =>
  searching('triples', 2, 8, ({ at, vector }) => {
    const table = (i: number): Code => v128.load(i32.const(0), tablesAt + tableSize * i)
    const halves = vector(6)
    const bytes = vector(7)
    const groups = (i: number, offset: number): Code =>
      v128.and(
        i8x16.swizzle(get(vector(2 * i)), v128.and(tee(bytes, v128.load(at, offset + i)), get(halves))),
        i8x16.swizzle(get(vector(2 * i + 1)), i8x16.shrU(get(bytes), i32.const(4))),
      )
    return {
      setup: [...[0, 1, 2, 3, 4, 5].flatMap((i) => set(vector(i), table(i))), ...set(halves, i8x16.splat(i32.const(15)))],
      match: (offset) => v128.and(v128.and(groups(0, offset), groups(1, offset)), groups(2, offset)),
    }
  })

/** Null: not here. */
let compiled: object | null | undefined

function programModule(): object | null {
  if (compiled === undefined) {
    try {
      compiled = new WebAssembly.Module(moduleOf([pair(), triples()]))
    } catch {
      compiled = null
    }
  }
  return compiled
}

// ---- memory -----------------------------------------------------------------------

interface Searchable {
  program: Program
  numbers: Uint32Array
  bytes: Buffer
}

/** Undefined: not looked at yet; null: not here. Collected with the memory. */
const memories = new WeakMap<ArrayBufferLike, { memory: object; searchable: Searchable | null | undefined }>()

/** Memory that is searched in place where that can be. It begins with a page of the system. */
export function searchableMemory(size: number): Buffer {
  try {
    const pages = 1 + Math.ceil((size + behind) / page)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    memories.set(memory.buffer, { memory, searchable: undefined })
    return Buffer.from(memory.buffer, page, size)
  } catch {
    // Each has some gigabytes of address space reserved (not used): a limit on that is no limit on what is needed.
    return Buffer.allocUnsafeSlow(size)
  }
}

/** The program is compiled when the first block is to be searched: that takes some milliseconds, and many logs are passed over without it. */
function searchableOf({ buffer }: Buffer): Searchable | null {
  const known = memories.get(buffer)
  if (known === undefined) return null
  if (known.searchable !== undefined) return known.searchable
  known.searchable = null
  const module = programModule()
  if (module !== null) {
    try {
      const { exports } = new WebAssembly.Instance(module, { host: { memory: known.memory } })
      known.searchable = { program: exports as Program, numbers: new Uint32Array(buffer, 0, page / 4), bytes: Buffer.from(buffer) }
    } catch {
      // No room for its code: searched as any other memory.
    }
  }
  return known.searchable
}

/** Memory for two threads, in bytes. It begins with a page of the system where there is WebAssembly. */
export function sharedMemory(size: number): Uint8Array<ArrayBufferLike> {
  const pages = Math.ceil(size / page)
  try {
    return new Uint8Array(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }).buffer, 0, size)
  } catch {
    return new Uint8Array(new SharedArrayBuffer(size))
  }
}

/** Whether a block lies in searchable memory. */
export const isSearchable = (block: Buffer): boolean => memories.has(block.buffer)

/** Whether such a block can be searched here. */
export const canSearch = (block: Buffer): boolean => searchableOf(block) !== null

/**
 * Gives the places of a searchable block where something may begin, in order; also some whose bytes reach over its end.
 */
export type SimdSearch = (block: Buffer, found: (at: number) => void) => void

const searchWith =
  (run: (memory: Searchable, at: number, end: number) => number): SimdSearch =>
  (block, found) => {
    const memory = searchableOf(block)
    if (!memory) throw new Error('not searchable')
    const begin = block.byteOffset
    const end = begin + block.length
    for (let at = begin; at < end; at = memory.numbers[stoppedAt] as number) {
      const stop = run(memory, at, end) / 4
      for (let i = placesAt / 4; i < stop; i++) found((memory.numbers[i] as number) - begin)
    }
  }

/** Two bytes, the second so far behind the first. */
export const searchPair = (first: ByteOf, second: ByteOf, distance: number): SimdSearch =>
  searchWith(({ program }, at, end) =>
    program.pair(at, end, distance, first.value, first.anyCase ? 0x20 : 0, second.value, second.anyCase ? 0x20 : 0),
  )

/** Any of these three bytes in a row; sometimes also bytes of one with bytes of another. */
export function searchTriples(all: readonly Buffer[]): SimdSearch {
  const tables = Buffer.alloc(6 * tableSize)
  all.forEach((three, i) => {
    const bit = 1 << (i % 8)
    for (const [place, byte] of three.entries()) {
      const low = 2 * place * tableSize + (byte & 0x0f)
      const high = (2 * place + 1) * tableSize + (byte >> 4)
      tables[low] = (tables[low] as number) | bit
      tables[high] = (tables[high] as number) | bit
    }
  })
  return searchWith(({ program, bytes }, at, end) => {
    tables.copy(bytes, tablesAt)
    return program.triples(at, end)
  })
}
