/** Others' JSON at the border: a value of the wanted type, or nothing. */

export type Loose = Record<string, unknown>
export const object = (v: unknown): Loose => (typeof v === 'object' && v !== null && !Array.isArray(v) ? (v as Loose) : {})
/** Null also for the empty string. */
export const text = (v: unknown): string | null => (typeof v === 'string' && v !== '' ? v : null)
export const number = (v: unknown): number | null => (typeof v === 'number' && Number.isFinite(v) ? v : null)
export const bool = (v: unknown): boolean | null => (typeof v === 'boolean' ? v : null)
export const texts = (v: unknown): string[] => (Array.isArray(v) ? v.filter((s): s is string => typeof s === 'string') : [])

export function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
