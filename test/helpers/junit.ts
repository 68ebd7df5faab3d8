/** JUnit XML as its readers take it: libxml2 with a schema, and a parser that others use. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'junit2json'
import { validateXML } from 'xmllint-wasm'
import { packageRoot } from './package-root.ts'

const schema = { fileName: 'junit.xsd', contents: readFileSync(join(packageRoot(), 'test/fixtures/junit.xsd'), 'utf8') }

export interface JunitCaseRead {
  name: string
  classname: string
  /** `failure`, `error` or `skipped` and what it says; null: it passed. */
  outcome: { kind: string; type: string | undefined; message: string; text: string } | null
}

/** What the schema has against a text; empty: nothing. */
export async function junitErrors(xml: string): Promise<string[]> {
  const { errors } = await validateXML({ xml: { fileName: 'junit.xml', contents: xml }, schema })
  return errors.map((e) => e.message)
}

/** The cases of all suites, after the schema and the sums were checked. */
export async function validJunit(xml: string): Promise<JunitCaseRead[]> {
  assert.deepEqual(await junitErrors(xml), [])
  const read = await parse(xml)
  assert.ok(read && 'testsuite' in read)
  const suites = read.testsuite ?? []
  const cases = suites.flatMap((suite) => {
    const own = (suite.testcase ?? []).map((c): JunitCaseRead => {
      const [kind, found] = c.failure ? ['failure', c.failure] : c.error ? ['error', c.error] : ['skipped', c.skipped]
      const first: { type?: string; message?: string; inner?: string } | undefined = found?.[0]
      const outcome = first ? { kind, type: first.type, message: first.message ?? '', text: first.inner ?? '' } : null
      return { name: c.name ?? '', classname: c.classname ?? '', outcome }
    })
    const count = (kind: string): number => own.filter((c) => c.outcome?.kind === kind).length
    const expected = [own.length, count('failure'), count('error'), count('skipped')]
    assert.deepEqual([suite.tests, suite.failures, suite.errors, suite.skipped], expected)
    return own
  })
  assert.equal(read.tests, cases.length)
  return cases
}
