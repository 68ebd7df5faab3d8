/** Damage done to texts at random, for fast-check. */
import { fc } from './fast-check.ts'

export interface Damage {
  /** Where, as a part of the text's length. */
  at: number
  /** Characters that go. */
  length: number
  text: string
  kind: 'replace' | 'repeat' | 'cut'
}

/** `pieces`: what is put in, beside a few random characters. `longest`: of what goes. */
export const damagesOf = (pieces: fc.Arbitrary<string>, longest: number): fc.Arbitrary<Damage[]> =>
  fc.array(
    fc.record<Damage>({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      length: fc.oneof(fc.nat(4), fc.nat(60), fc.nat(longest)),
      text: fc.oneof(pieces, pieces, fc.string({ unit: 'binary', maxLength: 8 }), fc.constant('')),
      kind: fc.constantFrom('replace', 'replace', 'replace', 'repeat', 'cut'),
    }),
    { minLength: 1, maxLength: 5 },
  )

/** `within`: damage near the beginning, in so many characters. */
export function damaged(text: string, list: readonly Damage[], within = Infinity): string {
  let result = text
  for (const { at, length, text: piece, kind } of list) {
    const offset = Math.floor(at * Math.min(result.length, within))
    const [before, stretch, after] = [result.slice(0, offset), result.slice(offset, offset + length), result.slice(offset + length)]
    result = kind === 'cut' ? before : before + (kind === 'repeat' ? stretch + piece + stretch : piece) + after
  }
  return result
}
