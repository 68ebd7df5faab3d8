/** Every JSON that a test prints is held against the schema that ships with the package. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js'
import type { Report } from '../../src/lib/report/report.ts'
import { packageRoot } from './package-root.ts'

const schemaOf = (name: string): AnySchemaObject =>
  JSON.parse(readFileSync(join(packageRoot(), 'schemas', name), 'utf8')) as AnySchemaObject
const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true })
const validate = ajv.compile(schemaOf('report.schema.json'))

/** What the schema of `lint --json` has against a value; null: nothing. */
export function lintSchemaErrors(value: unknown): string | null {
  const valid = ajv.getSchema('lint.schema.json') ?? ajv.compile(schemaOf('lint.schema.json'))
  return valid(value) ? null : JSON.stringify(valid.errors, null, 2)
}

/** What the schema has against a value; null: nothing. */
export const schemaErrors = (value: unknown): string | null => (validate(value) ? null : JSON.stringify(validate.errors, null, 2))

/** The report in what `--json` printed. */
export function validReport(stdout: string): Report {
  const value: unknown = JSON.parse(stdout)
  const errors = schemaErrors(value)
  assert.ok(errors === null, errors?.slice(0, 2000))
  return value as Report
}

/**
 * What the schema of this name has against a value; null: nothing. `steps`, `fix`, `reload` and `replay-all` are those of these
 * commands, `settings` is that of .mcpproxy-doctor.json.
 */
export function errorsBy(name: 'steps' | 'fix' | 'reload' | 'replay-all' | 'settings', value: unknown): string | null {
  const file = `${name}.schema.json`
  const valid = ajv.getSchema(file) ?? ajv.compile(schemaOf(file))
  return valid(value) ? null : JSON.stringify(valid.errors, null, 2)
}
