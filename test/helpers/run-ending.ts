/** How a run went, in a few words: short for tests to compare, e.g. `exited 1: Error: Cannot find module 'x'`. */
import { dockerError } from '../../src/lib/formats/docker-error.ts'
import type { Run } from '../../src/lib/system/replay-run.ts'
import { stderrLines } from '../../src/lib/replay/run-evidence.ts'

export function ending(run: Run): string {
  const { outcome, transcript, container } = run
  if (outcome === 'not-run') return `not run: ${run.notRun}`
  const stderr = stderrLines(run).map((line) => line.trim())
  const foreign = transcript?.foreign.first?.kind
  const beside = foreign === undefined ? '' : `, ${foreign} on stdout`
  switch (outcome) {
    case 'refused': {
      const error =
        stderr.map(dockerError).findLast((e) => e !== null && e.kind !== 'image-not-local' && e.kind !== 'config-json-broken') ?? null
      return `refused: ${error === null ? unified(stderr.at(-1) ?? 'no words') : [error.kind, error.subject ?? unified(error.detail ?? '')].join(' ').trim()}`
    }
    case 'exited': {
      const words = tellingLine(stderr)
      const code = run.exitCode ?? container?.exitCode ?? 'unknown'
      return `exited ${code}${container?.oomKilled ? ' out of memory' : ''}${words === null ? '' : `: ${unified(words)}`}${beside}`
    }
    case 'protocol-broken':
      return `protocol broken: ${unified(transcript?.problem ?? 'no words')}${beside}`
    case 'no-answer':
      return `no answer to ${transcript?.during}${beside}`
    default:
      return outcome.replaceAll('-', ' ')
  }
}

/** The error that node and python end with (behind it node has its stack and version); else the first line that speaks of one. */
function tellingLine(lines: readonly string[]): string | null {
  const thrown = lines.findLast((l) => /^(?:Uncaught )?[\w.]*(?:Error|Exception|Exit|Interrupt)(?: \[\w+\])?(?::|$)/.test(l))
  const words = /error|exception|cannot|can't|not found|no such|fatal|denied|failed|invalid|missing|required/i
  return thrown ?? lines.find((l) => words.test(l)) ?? lines.at(-1) ?? null
}

/** What differs from run to run (times, numbers of processes and ports, ids, temporary names) becomes `#`. */
const unified = (text: string): string =>
  text
    .replaceAll(/\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?/g, '#')
    .replaceAll(/\b(?=[0-9a-f]*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b/gi, '#')
    .replaceAll(/(?<![\w.])\d{3,}(?![\w.])/g, '#')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 160)
