/**
 * WebAssembly written as nested calls, as much of it as simd-search.ts needs: each function gives the bytes of an expression
 * in the binary format of the WebAssembly specification (version 1 with fixed-width SIMD).
 */

export type Code = readonly number[]

/** LEB128, signed: right for `i32.const`, and for unsigned numbers below 64 the same as unsigned. */
function signed(value: number): number[] {
  const bytes: number[] = []
  for (let left = value; ;) {
    const byte = left & 0x7f
    left >>= 7
    if ((left === 0 && (byte & 0x40) === 0) || (left === -1 && (byte & 0x40) !== 0)) return [...bytes, byte]
    bytes.push(byte | 0x80)
  }
}

function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)]
}

const simd =
  (opcode: number) =>
  (...operands: Code[]): Code => [...operands.flat(), 0xfd, ...unsigned(opcode)]
const plain =
  (opcode: number) =>
  (...operands: Code[]): Code => [...operands.flat(), opcode]

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: plain(0x6a),
  sub: plain(0x6b),
  and: plain(0x71),
  ctz: plain(0x68),
  eqz: plain(0x45),
  ltU: plain(0x49),
  geU: plain(0x4f),
  /** Operands: address, value. */
  store: (...operands: Code[]): Code => [...operands.flat(), 0x36, 0, 0],
}

export const v128 = {
  load: (address: Code, offset = 0): Code => [...address, 0xfd, 0x00, 0, ...unsigned(offset)],
  and: simd(0x4e),
  or: simd(0x50),
  anyTrue: simd(0x53),
}

export const i8x16 = {
  splat: simd(0x0f),
  swizzle: simd(0x0e),
  eq: simd(0x23),
  ne: simd(0x24),
  bitmask: simd(0x64),
  /** Operands: bytes, by how many bits. */
  shrU: simd(0x6d),
}

export const get = (local: number): Code => [0x20, ...unsigned(local)]
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)]
export const tee = (local: number, value: Code): Code => [...value, 0x22, ...unsigned(local)]
const noResult = 0x40
export const block = (...body: Code[]): Code => [0x02, noResult, ...body.flat(), 0x0b]
export const loop = (...body: Code[]): Code => [0x03, noResult, ...body.flat(), 0x0b]
export const when = (condition: Code, ...body: Code[]): Code => [...condition, 0x04, noResult, ...body.flat(), 0x0b]
/** `depth`: 0 is the innermost block or loop around it. */
export const branchIf = (depth: number, condition: Code): Code => [...condition, 0x0d, depth]
export const branch = (depth: number): Code => [0x0c, depth]

/** All parameters and the one result are i32. Locals are numbered after the parameters, those of i32 first. */
export interface WasmFunction {
  name: string
  parameters: number
  locals: { i32: number; v128: number }
  body: Code
}

const list = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()]
const sized = (bytes: Code): Code => [...unsigned(bytes.length), ...bytes]
const section = (id: number, content: Code): Code => [id, ...sized(content)]
const text = (value: string): Code => sized([...Buffer.from(value)])
const types = { i32: 0x7f, v128: 0x7b }

/** A module that exports the functions and imports its memory as `host.memory`. */
export function moduleOf(functions: readonly WasmFunction[]): Uint8Array {
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(
      1,
      list(functions.map(({ parameters }) => [0x60, ...list(Array.from({ length: parameters }, () => [types.i32])), 1, types.i32])),
    ),
    ...section(2, list([[...text('host'), ...text('memory'), 0x02, 0x00, 1]])),
    ...section(3, list(functions.map((_, i) => [i]))),
    ...section(7, list(functions.map(({ name }, i) => [...text(name), 0x00, i]))),
    ...section(
      10,
      list(
        functions.map(({ locals, body }) =>
          sized([
            ...list([
              [...unsigned(locals.i32), types.i32],
              [...unsigned(locals.v128), types.v128],
            ]),
            ...body,
            0x0b,
          ]),
        ),
      ),
    ),
  ])
}
