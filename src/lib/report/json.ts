/** JSON for programs: the report itself. */

// What JSON.stringify leaves as it is and a terminal would act on: DEL, C1, bidi, zero width, line separators.
const unsafe = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g

const escaped = (json: string): string => `${json.replace(unsafe, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`

export const renderJson = (value: unknown): string => escaped(JSON.stringify(value, null, 2))

/** One document per line, for what is told as it happens. */
export const renderJsonLine = (value: unknown): string => escaped(JSON.stringify(value))
