/** SARIF against its published schema (test/fixtures), and the words that a region of it selects. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type AnySchemaObject } from 'ajv'
import { packageRoot } from './package-root.ts'

// The schema is of draft 4; it uses nothing that a later draft reads in another way, once these two are gone.
const schema = JSON.parse(readFileSync(join(packageRoot(), 'test/fixtures/sarif-2.1.0.schema.json'), 'utf8')) as AnySchemaObject
for (const key of ['$schema', 'id']) delete schema[key]
const ajv = new Ajv({
  allErrors: true,
  strict: false,
  unicodeRegExp: false,
  formats: {
    uri: (text: string) => URL.canParse(text),
    'uri-reference': (text: string) => URL.canParse(text, 'file:///') && !/[\s"<>\\^`{|}]/.test(text),
    'date-time': (text: string) => !Number.isNaN(Date.parse(text)),
  },
})
const validate = ajv.compile(schema)

export interface Region {
  startLine: number
  startColumn: number
  endLine: number
  endColumn: number
}
interface Physical {
  artifactLocation: { uri: string }
  region: Region
}
export interface SarifRun {
  tool: { driver: { rules: { id: string; helpUri?: string }[] } }
  invocations: { toolExecutionNotifications?: { message: { text: string } }[] }[]
  results: {
    ruleId: string
    level: string
    message: { text: string }
    locations: { physicalLocation: Physical }[]
    partialFingerprints: Record<string, string>
    fixes?: { artifactChanges: { replacements: { deletedRegion: Region; insertedContent: { text: string } }[] }[] }[]
  }[]
}

export function validSarif(text: string): SarifRun {
  const log = JSON.parse(text) as { runs: SarifRun[] }
  assert.ok(validate(log), JSON.stringify(validate.errors?.slice(0, 5), null, 2))
  const [run] = log.runs
  assert.ok(run)
  return run
}

export function offsetsOf(text: string, { startLine, startColumn, endLine, endColumn }: Region): [number, number] {
  const starts = text.split('\n').reduce<number[]>((all, line) => [...all, (all.at(-1) ?? 0) + line.length + 1], [0])
  return [(starts[startLine - 1] ?? NaN) + startColumn - 1, (starts[endLine - 1] ?? NaN) + endColumn - 1]
}
export const selected = (text: string, region: Region): string => text.slice(...offsetsOf(text, region))
