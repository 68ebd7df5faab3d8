/** Every JSON that a test prints is held against the schema that ships with the package. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js'
import type { Report } from '../../src/lib/report/report.ts'
import { packageRoot } from './package-root.ts'

const schema = JSON.parse(readFileSync(join(packageRoot(), 'schemas/report.schema.json'), 'utf8')) as AnySchemaObject
const validate = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true }).compile(schema)

/** What the schema has against a value; null: nothing. */
export const schemaErrors = (value: unknown): string | null => (validate(value) ? null : JSON.stringify(validate.errors, null, 2))

/** The report in what `--json` printed. */
export function validReport(stdout: string): Report {
  const value: unknown = JSON.parse(stdout)
  const errors = schemaErrors(value)
  assert.ok(errors === null, errors?.slice(0, 2000))
  return value as Report
}
