/** What leaves the program passes here. */
import { makeRedactor, worthHiding, type Redactor } from '../evidence/secrets.ts'
import { referredVariables } from '../formats/mcp-config.ts'
import type { Report } from '../report/report.ts'

/** Every string of the report passes the redactor: the one place where secrets are struck. */
export function redactReport(report: Report, redact: Redactor): Report {
  const struck = redactValue(report, redact)
  // The names of the servers stay: they are what the user asked for, and what programs look up.
  const findings = struck.findings.map((f, i) => {
    const affects = report.findings[i]?.affects
    return affects ? { ...f, affects } : f
  })
  return { ...struck, findings, servers: struck.servers.map((s, i) => ({ ...s, server: report.servers[i]?.server ?? s.server })) }
}

/** The same value with every string in it redacted. */
export function redactValue<T>(value: T, redact: Redactor): T {
  // A report says many things several times.
  const known = new Map<string, string>()
  const struck = (text: string): string => {
    const before = known.get(text)
    if (before !== undefined) return before
    const after = redact(text)
    known.set(text, after)
    return after
  }
  const walk = (item: unknown): unknown => {
    if (typeof item === 'string') return struck(item)
    if (Array.isArray(item)) return item.map(walk)
    if (typeof item === 'object' && item !== null) return Object.fromEntries(Object.entries(item).map(([k, v]) => [k, walk(v)]))
    return item
  }
  return walk(value) as T
}

/** Values that the environment gives for the `${env:NAME}` of a configuration are secrets as those in the file are: what it starts may print them. */
export function withVariables(redact: Redactor, config: string, env: Readonly<Record<string, string | undefined>>): Redactor {
  const values = Object.entries(referredVariables(config, env)).flatMap(([name, value]) => (worthHiding(value, name) ? [value] : []))
  const strike = makeRedactor(values)
  return (text) => redact(strike(text))
}
