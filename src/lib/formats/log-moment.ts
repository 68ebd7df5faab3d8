/** Moments as they are given to `--since` and `--until`. */

export interface Moment {
  ms: number
  /** It names no zone: it is a time as it stands in the log, whatever zone that is written in. */
  wall: boolean
}

const units: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/** `10m`, `1h30m`, `2026-11-22`, `2026-11-22T21:47:29.136Z`, `21:47` (of the day of `now`, in UTC minutes east `offset`); null: none of these. */
export function parseMoment(text: string, now: Date, offset: number): Moment | null {
  const trimmed = text.trim()
  if (/^(?:\d+(?:\.\d+)?[smhdw])+$/.test(trimmed)) {
    let ago = 0
    for (const [, count = '', unit = ''] of trimmed.matchAll(/([\d.]+)([smhdw])/g)) ago += Number(count) * (units[unit] ?? 0)
    return { ms: now.getTime() - ago, wall: false }
  }
  const clock = /^(\d{1,2}):(\d\d)(?::(\d\d)(\.\d+)?)?$/.exec(trimmed)
  const today = new Date(now.getTime() + offset * 60_000).toISOString().slice(0, 10)
  const written = clock ? `${today}T${(clock[1] ?? '').padStart(2, '0')}${trimmed.slice((clock[1] ?? '').length)}` : trimmed
  const [, date, time = '00:00', zone] =
    /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?))?\s?(Z|z|[+-]\d\d:?\d\d)?$/.exec(written) ?? []
  if (date === undefined) return null
  const east = zone === undefined ? 'Z' : zone.toUpperCase().replace(/^([+-]\d\d)(\d\d)$/, '$1:$2')
  const ms = Date.parse(`${date}T${time.replace(',', '.')}${east}`)
  // 2026-02-30 would become a day in March.
  if (Number.isNaN(ms) || !new Date(Date.parse(`${date}T00:00Z`)).toISOString().startsWith(date)) return null
  return { ms, wall: zone === undefined }
}
