/** JSON for programs: the report itself. */

// What JSON.stringify leaves as it is and a terminal would act on: DEL, C1, bidi, zero width, line separators.
const unsafe = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g

export function renderJson(value: unknown): string {
  const text = JSON.stringify(value, null, 2).replace(unsafe, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `${text}\n`
}
