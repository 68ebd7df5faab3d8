/** JUnit XML, as the usual readers of CI systems take it (Jenkins' junit-10 schema). */

export interface JunitCase {
  name: string
  /** The group that readers show it under, e.g. the file. */
  classname: string
  seconds?: number
  /** What is wrong with the thing that was tested. */
  failure?: { type: string; message: string; text: string }
  /** Why it could not be tested. */
  error?: { type: string; message: string; text: string }
  /** Why it was not tried. */
  skipped?: string
}

export interface JunitSuite {
  name: string
  /** ISO 8601. */
  timestamp?: string
  cases: JunitCase[]
}

export function renderJunit(name: string, suites: readonly JunitSuite[]): string {
  const all = suites.flatMap((s) => s.cases)
  // The schema of Jenkins has no `skipped` here.
  const { skipped: _, ...sums } = counts(all)
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites ${attributes({ name, ...sums })}>`]
  for (const suite of suites) {
    lines.push(`  <testsuite ${attributes({ name: suite.name, ...counts(suite.cases), timestamp: suite.timestamp })}>`)
    for (const item of suite.cases) lines.push(...caseLines(item))
    lines.push('  </testsuite>')
  }
  return `${[...lines, '</testsuites>'].join('\n')}\n`
}

function caseLines(item: JunitCase): string[] {
  const head = `    <testcase ${attributes({ name: item.name, classname: item.classname, time: (item.seconds ?? 0).toFixed(3) })}`
  const body = [
    ...(['failure', 'error'] as const).flatMap((kind) => {
      const found = item[kind]
      return found ? [`      <${kind} ${attributes({ type: found.type, message: found.message })}>${escape(found.text)}</${kind}>`] : []
    }),
    ...(item.skipped === undefined ? [] : [`      <skipped ${attributes({ message: item.skipped })}/>`]),
  ]
  return body.length === 0 ? [`${head}/>`] : [`${head}>`, ...body, '    </testcase>']
}

function counts(cases: readonly JunitCase[]): Record<'tests' | 'failures' | 'errors' | 'skipped' | 'time', string> {
  const count = (has: (c: JunitCase) => boolean): string => String(cases.filter(has).length)
  return {
    tests: String(cases.length),
    failures: count((c) => c.failure !== undefined),
    errors: count((c) => c.error !== undefined),
    skipped: count((c) => c.skipped !== undefined),
    time: cases.reduce((sum, c) => sum + (c.seconds ?? 0), 0).toFixed(3),
  }
}

const attributes = (values: Record<string, string | undefined>): string =>
  Object.entries(values)
    .flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}="${escape(value).replace(/[\n\r\t]/g, (c) => `&#${c.charCodeAt(0)};`)}"`],
    )
    .join(' ')

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

// And what a terminal obeys or does not show, for who looks at the file with `cat`.
const unfit = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]|[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}\u2065\u{e0000}-\u{e0fff}]/gu

/** XML 1.0 has no place for most controls, lone surrogates and two non-characters, not even escaped. */
const escape = (text: string): string => text.replace(/[&<>"]/g, (c) => entities[c] ?? c).replace(unfit, '\uFFFD')
