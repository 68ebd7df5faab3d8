/**
 * A reporter for Node's test runner: the tests that failed, each with its file and error, then the runner's own counts. Thousands of
 * tests that passed stand before and after one that did not, and who sees the end of a long output only would not find it.
 */
export default async function* failures(source) {
  const counts = []
  for await (const { type, data } of source) {
    if (type === 'test:diagnostic' && data.nesting === 0 && /^(?:tests|pass|fail|cancelled|skipped) \d+$/.test(data.message))
      counts.push(`# ${data.message}`)
    if (type !== 'test:fail' || data.details.error?.failureType === 'subtestsFailed' || data.todo !== undefined) continue
    const { cause, message } = data.details.error ?? {}
    const said = cause?.stack ?? cause ?? message
    yield `FAILED: ${data.name} (${data.file ?? 'no file'}:${data.line ?? '?'})\n${String(said).replaceAll(/^/gm, '  ')}\n\n`
  }
  yield `${counts.join('\n')}\n`
}
