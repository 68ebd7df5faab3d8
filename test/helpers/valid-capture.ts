/** The files of a capture against the schema that ships with the package. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type AnySchemaObject } from 'ajv/dist/2020.js'
import type { CaptureFile } from '../../src/lib/system/capture-files.ts'
import { packageRoot } from './package-root.ts'

const schema = JSON.parse(readFileSync(join(packageRoot(), 'schemas/capture.schema.json'), 'utf8')) as AnySchemaObject
const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, allowUnionTypes: true }).addSchema(schema)

const parts: [RegExp, string][] = [
  [/^capture\.json$/, ''],
  [/^redactions\.json$/, '#/$defs/redactions'],
  [/^replays\.json$/, '#/$defs/replays'],
  [/^api\//, '#/$defs/apiAnswer'],
  [/^docker\/images\//, '#/$defs/image'],
  [/^docker\/(?:containers|images|networks|inspect-at-die)\.json$/, '#/$defs/engineList'],
  [/^docker\/(?:version|info|events-error)\.json$/, '#/$defs/engineObject'],
  [/^host\/environment\.json$/, '#/$defs/environment'],
  [/^host\/files\.json$/, '#/$defs/hostFiles'],
  [/^host\/folders\.json$/, '#/$defs/hostFolders'],
  [/^host\/logs\.json$/, '#/$defs/hostLogs'],
  [/^host\/unreadable\.json$/, '#/$defs/unreadable'],
]

/** What the schema has against a file; null: nothing. Files of the machine itself and events have no schema. */
export function captureErrors({ name, bytes }: CaptureFile): string | null {
  if (/^(?:home|root)\/|\.ndjson$/.test(name)) return null
  const part = parts.find(([pattern]) => pattern.test(name))?.[1]
  if (part === undefined) return `${name} is no file of a capture`
  const validate = ajv.getSchema(`capture.schema.json${part}`)
  if (!validate) return `the schema has no ${part}`
  return validate(JSON.parse(bytes.toString('utf8'))) ? null : `${name}: ${JSON.stringify(validate.errors)}`
}
