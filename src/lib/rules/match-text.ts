/** From a pasted text to the codes that it can mean. A text is an observation, never a proof: what decides is said with each. */
import { maskShapes } from '../evidence/secrets.ts'
import { dockerError, type DockerErrorKind } from '../formats/docker-error.ts'
import { pastedLines, viewsOf, type PastedLine } from '../formats/pasted-text.ts'
import { goesOnWithout, programError, type ProgramErrorKind } from '../formats/program-error.ts'
import { allCodes, entries, describeCode, type CodeDescription } from './catalogue.ts'
import type { Entry, Sign } from './catalogue/entry.ts'
import { harmlessTexts } from './catalogue/harmless.ts'

export interface CodeMatch extends CodeDescription {
  /** `clear`: words that are made for this code; `possible`: words with several explanations. A proof is neither. */
  fit: 'clear' | 'possible'
  /** The words of the text that speak for it, secrets struck. */
  because: string
  /** The question that tells it from the others, or what proves it. */
  decidedBy: string
}

export interface Explanations {
  schemaVersion: 1
  /** Best first; empty: nothing fits. */
  matches: CodeMatch[]
  /** Words that sound like a failure and are none. */
  harmless: { text: string; because: string }[]
  /** What to know of all of them together. */
  note: string | null
}

const mostHarmless = 20

interface Line {
  text: string
  lower: string
  /** MCPProxy says what it does: vague words in it mean nothing. */
  routine: boolean
  docker: { kind: DockerErrorKind; subject: string } | null
  program: { kind: ProgramErrorKind; subject: string } | null
}
interface Hit {
  code: string
  line: Line
  /** 3: made for this code, by what the text names; 2: made for this code; 1: one of several explanations. */
  weight: 1 | 2 | 3
}

export function explainText(text: string): Explanations {
  const bare = /^\s*(\d{1,3})\s*$/.exec(text)
  const all = pastedLines(bare ? `exit code ${bare[1]}` : text)
  const harmless = new Map<string, string>()
  const lines = all.flatMap((line): Line[] => {
    const known = harmlessTexts.find((h) => h.pattern.test(line.text.toLowerCase()))
    if (known) harmless.set(quote(line.text), known.because)
    if (known) return []
    const read = readLine(line)
    if (!read.program || !goesOnWithout(read.program.kind, line.text)) return [read]
    harmless.set(quote(line.text), 'The program says that it goes on without.')
    return []
  })
  const whole = all
    .map((line) => line.text)
    .join('\n')
    .toLowerCase()
  const hits = Object.entries(entries).flatMap(([code, entry]) =>
    entry.unless?.some((words) => whole.includes(words)) ? [] : hitsOf(code, entry, lines),
  )
  // Vague words ("transport closed") say something only where no others are clear; of a clear line the other explanations stay.
  const clear = new Set(hits.filter((h) => h.weight > 1).map((h) => h.line))
  const kept = clear.size === 0 ? hits : hits.filter((h) => clear.has(h.line) && (h.weight > 1 || !entries[h.code]?.lastResort))
  const named = kept.length > 0 ? [] : namedByMcpproxy(whole)
  return {
    schemaVersion: 1,
    matches: withDecisions([...rank(kept), ...named]),
    harmless: [...harmless].slice(0, mostHarmless).map(([line, because]) => ({ text: line, because })),
    note:
      named.length > 1
        ? `MCPProxy uses this code for ${named.length} causes. The text that stands with it tells more: give that to explain, or look at the machine.`
        : null,
  }
}

/** All codes in the same shape. */
export const explainAll = (): Explanations => ({
  schemaVersion: 1,
  matches: allCodes().flatMap((c) => explainCode(c)?.matches ?? []),
  harmless: [],
  note: null,
})

/** The same shape for a code; null: there is no such code. */
export function explainCode(code: string): Explanations | null {
  const described = describeCode(code)
  if (!described) return null
  const match: CodeMatch = { ...described, fit: 'clear', because: 'asked for by its code', decidedBy: described.proof }
  return { schemaVersion: 1, matches: [match], harmless: [], note: null }
}

function readLine({ text, mcpproxy }: PastedLine): Line {
  const line: Line = {
    text,
    lower: text.toLowerCase(),
    routine: mcpproxy !== null && /^(?:INFO|DEBUG)$/.test(mcpproxy),
    docker: null,
    program: null,
  }
  if (mcpproxy !== null) return line
  const views = viewsOf(text)
  for (const view of views) {
    const found = dockerError(view)
    if (found && found.kind !== 'other') return { ...line, docker: { kind: found.kind, subject: found.subject ?? '' } }
  }
  for (const view of views) {
    const found = programError(view)
    if (found) line.program ??= { kind: found.kind, subject: found.subject ?? '' }
  }
  if (line.program) return line
  // Only a part of docker's sentence was copied.
  for (const view of views.filter((v, i) => i === 0 || v.startsWith('exec: "'))) {
    const found = dockerError(`docker: ${view}`)
    if (found && found.kind !== 'other') return { ...line, docker: { kind: found.kind, subject: found.subject ?? '' } }
  }
  return line
}

function hitsOf(code: string, entry: Entry, lines: readonly Line[]): Hit[] {
  return lines.flatMap((line): Hit[] => {
    const says = (entry.says ?? []).filter((sign) => shows(sign, line))
    if (says.length > 0) return [{ code, line, weight: says.some((s) => 'subject' in s) ? 3 : 2 }]
    return !line.routine && entry.mayMean?.some((sign) => shows(sign, line)) ? [{ code, line, weight: 1 }] : []
  })
}

function shows(sign: Sign, line: Line): boolean {
  if ('text' in sign) return typeof sign.text === 'string' ? line.lower.includes(sign.text) : sign.text.test(line.lower)
  const said = 'docker' in sign ? line.docker : line.program
  const kind = 'docker' in sign ? sign.docker : sign.program
  return said?.kind === kind && (sign.subject?.test(said.subject) ?? true)
}

interface Ranked {
  code: string
  fit: CodeMatch['fit']
  because: string
}

/** Clear words before vague ones, causes before last resorts, more lines before fewer, then the order of the catalogue. */
function rank(hits: readonly Hit[]): Ranked[] {
  return [...new Set(hits.map((h) => h.code))]
    .map((code) => {
      const own = hits.filter((h) => h.code === code)
      const best = own.reduce((a, b) => (b.weight > a.weight ? b : a))
      return {
        code,
        weight: best.weight,
        last: Number(entries[code]?.lastResort ?? false),
        lines: own.filter((h) => h.weight === best.weight).length,
        because: quote(best.line.text),
      }
    })
    .sort((a, b) => b.weight - a.weight || a.last - b.last || b.lines - a.lines)
    .map(({ code, weight, because }) => ({
      code,
      fit: weight > 1 && !entries[code]?.neverAlone ? ('clear' as const) : ('possible' as const),
      because,
    }))
}

/** One code of MCPProxy stands for many causes; those for which it is the usual one come first. */
function namedByMcpproxy(whole: string): Ranked[] {
  const named = [...whole.matchAll(/\bmcpx_[a-z_]+/g)].map((m) => m[0].toUpperCase())
  return Object.entries(entries)
    .flatMap(([code, entry]) => {
      const place = entry.mcpx?.findIndex((name) => named.includes(name)) ?? -1
      return place < 0 ? [] : [{ code, place, fit: 'possible' as const, because: `MCPProxy may call it ${entry.mcpx?.[place] ?? ''}` }]
    })
    .sort((a, b) => a.place - b.place)
}

function withDecisions(ranked: readonly Ranked[]): CodeMatch[] {
  const codes = new Set(ranked.map((r) => r.code))
  return ranked.flatMap(({ code, fit, because }) => {
    const described = describeCode(code)
    if (!described) return []
    const rivals = described.confusedWith.filter((other) => codes.has(other.code))
    const decidedBy = rivals.map((other) => `${other.code}: ${other.decidedBy}`).join(' ')
    return [{ ...described, fit, because, decidedBy: decidedBy || described.proof }]
  })
}

function quote(line: string): string {
  const masked = maskShapes(line)
  return masked.length > 200 ? `${masked.slice(0, 199)}…` : masked
}
