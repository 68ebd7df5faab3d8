/**
 * Secret values, and how they are kept out of everything that is shown. `env`, headers, API keys,
 * `-e` values of any docker argument list (main.log holds them in clear), credentials in URLs, and
 * what looks like a token anywhere.
 */
import type { Node } from 'jsonc-parser'
import { lineStarts, positionIn, type ConfigDocument } from '../formats/mcp-config.ts'
import type { DockerRun } from '../formats/docker-run.ts'
import { argumentSecrets, authScheme, lineSecrets, type SecretSpan } from './secret-arguments.ts'
import { textSecrets } from './secret-patterns.ts'
import { diagnosticWords, isSecretToken, isToken, mark, secretName, worthHiding } from './secret-worth.ts'
import { fragmentEnds, makeStriker, percentDecoded, spellings, strikeFragments, type Spelled } from './spellings.ts'

export { mark, worthHiding } from './secret-worth.ts'

export type Redactor = (text: string) => string

/**
 * Strikes known values (longest first), what is left of those that were cut off, and what looks like a secret. `shapes`: another
 * masking of what looks like one, e.g. one that remembers.
 */
export function makeRedactor(values: Iterable<string>, shapes: Redactor = maskShapes): Redactor {
  const whole = struckValues(values)
  const strike = makeStriker(whole.flatMap(spelled), () => mark)
  return (text) => {
    let result = strike(text)
    for (const value of whole) result = strikeFragments(result, value, () => mark)
    return shapes(result)
  }
}

/** Of known values the spellings that are struck from texts, and the pieces by which a rest of one that was cut off is known. */
export const secretTraces = (values: Iterable<string>): string[] =>
  struckValues(values).flatMap((value) => [...spelled(value).map(({ text }) => text), ...fragmentEnds(value)])

const struckValues = (values: Iterable<string>): string[] =>
  [...new Set([...values].flatMap((v) => [v, percentDecoded(v) ?? v]))].filter(
    (v) => v.length >= 4 && v !== mark && !diagnosticWords.has(v.toLowerCase()),
  )

/** Short values are struck only as whole words, so that `1234` does not eat into a time. */
function spelled(value: string): Spelled[] {
  const { plain, encoded } = spellings(value, true)
  return [...plain.map((text) => ({ text, word: text.length < 8 })), ...encoded.map((text) => ({ text, word: false }))]
}

/** What looks like a secret, masked. */
export const maskShapes = (text: string): string => withoutSpans(text, textSecrets(text))

/** The same for many texts of which most are equal. It keeps them: for one piece of work. */
export function rememberedShapes(): Redactor {
  const known = new Map<string, string>()
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    const masked = maskShapes(text)
    known.set(text, masked)
    return masked
  }
}

// ---- where secrets stand ----------------------------------------------------------

/** Values of `-e NAME=VALUE` in a docker command, and those in the arguments of what it runs. */
export function runSecrets(run: DockerRun): string[] {
  const inCommand = argumentSecrets(run.command).flatMap((spans, i) =>
    spans.flatMap(({ from, to, name }) => knownValues((run.command[i] ?? '').slice(from, to), name)),
  )
  const inFlags = run.flags.flatMap((f) => {
    if (f.name !== 'env' || f.value === null) return []
    const at = f.value.indexOf('=')
    // `-e ghp_…`: a value in place of a name.
    if (at < 0) return /^[A-Za-z_]\w*$/.test(f.value) && f.value.length < 24 ? [] : [f.value]
    return knownValues(f.value.slice(at + 1), f.value.slice(0, at))
  })
  return [...inFlags, ...inCommand]
}

/**
 * What is struck from all texts for a value: the value, without its scheme (`Token …`) when it has one, and the secrets inside an
 * address: programs write its password without the rest.
 */
function knownValues(value: string, name: string): string[] {
  const bare = value.replace(authScheme, '')
  const whole = [value, ...(bare === value ? [] : [bare])].filter((v) => worthHiding(v, bare === value ? name : 'token'))
  const inside = value.includes('://') ? lineSecrets(value) : []
  const parts = inside.flatMap(({ from, to }) => {
    const part = value.slice(from, to)
    // With a blank or a semicolon it is a piece of something longer.
    return part === value || /[\s;]/.test(part) ? [] : [part, part.replace(authScheme, '')].filter((v) => worthHiding(v, 'token'))
  })
  return [...new Set([...whole, ...parts])]
}

/** Any arguments with the secrets in them masked in their places. Same length, same order. */
export const maskedWords = (words: readonly string[]): string[] =>
  argumentSecrets(words).map((spans, i) => withoutSpans(words[i] ?? '', spans))

function withoutSpans(word: string, spans: readonly SecretSpan[]): string {
  let result = word
  for (const { from, to } of [...spans].reverse()) result = result.slice(0, from) + mark + result.slice(to)
  return result
}

/** Docker arguments with the value of every `-e NAME=VALUE` masked; `NAME` alone stays. Same length, same order. */
export function maskedArgs(
  args: readonly string[],
  run: DockerRun,
  value: (name: string) => string = (name) => `${name}=${mark}`,
): string[] {
  const shown = [...args]
  for (const flag of run.flags) {
    if (flag.name !== 'env' || flag.value === null) continue
    const token = shown[flag.valueIndex] ?? ''
    const at = flag.value.indexOf('=')
    const name = at >= 0 ? flag.value.slice(0, at) : flag.value
    if (at < 0 && /^[A-Za-z_]\w*$/.test(name)) continue
    shown[flag.valueIndex] = token.slice(0, token.length - flag.value.length) + (at < 0 ? mark : value(name))
  }
  // Other flags and the command hold secrets too; what was just written is none.
  const done = new Set(run.flags.flatMap((f) => (f.name === 'env' ? [f.valueIndex] : [])))
  return maskedWords(args).map((word, i) => (done.has(i) ? (shown[i] ?? '') : word))
}

/** Names of the variables whose value stands in these arguments and is a secret by its name or form. */
export function secretVariables(run: DockerRun): string[] {
  return run.flags.flatMap((f) => {
    const at = f.name === 'env' ? (f.value ?? '').indexOf('=') : -1
    if (f.value === null || at < 1) return []
    const [name, value] = [f.value.slice(0, at), f.value.slice(at + 1)]
    // In a bundle its token stands for it.
    const secret = isToken(value)
      ? secretName.test(name) || isSecretToken(value)
      : worthHiding(value, name) && (secretName.test(name) || maskShapes(value) !== value)
    // `ghp_abc***CD` was masked by MCPProxy itself.
    return secret && !/\*{3}/.test(value) ? [name] : []
  })
}

/** Every secret value of a configuration. */
export function configSecrets(document: ConfigDocument): string[] {
  return secretPlaces(document).map(({ value }) => value)
}

/** The same with their places, in order. */
export const secretPlaces = (document: Pick<ConfigDocument, 'root'>): { offset: number; value: string }[] =>
  secretNodes(document).flatMap(({ node, value, name }) => knownValues(value, name).map((known) => ({ offset: node.offset, value: known })))

interface SecretPlace {
  node: Node
  value: string
  name: string
  /** Characters before it that stay, e.g. `NAME=` of `-e NAME=VALUE`. */
  keep: number
}

/** String nodes that hold a secret, or an argument that holds one. */
export function secretNodes({ root }: Pick<ConfigDocument, 'root'>): SecretPlace[] {
  if (root === null) return []
  let known = secretsBelow.get(root)
  if (!known) {
    known = findSecretNodes(root)
    secretsBelow.set(root, known)
  }
  return known
}

// What masks an excerpt and what strikes the values ask for the same.
const secretsBelow = new WeakMap<Node, SecretPlace[]>()

function findSecretNodes(root: Node): SecretPlace[] {
  const places: SecretPlace[] = []
  const visit = (node: Node, last: string, parent: string): void => {
    if (node.type === 'object') {
      for (const p of node.children ?? []) if (p.children?.[1]) visit(p.children[1], String(p.children[0]?.value), last)
      return
    }
    if (node.type === 'array') {
      const children = node.children ?? []
      const found = argumentSecrets(children.map((child) => (child.type === 'string' ? String(child.value) : '')))
      children.forEach((child, i) => {
        if (child.type === 'string') addSpans(child, found[i] ?? [])
        else visit(child, String(i), last)
      })
      return
    }
    if (node.type !== 'string' && node.type !== 'number') return
    const value = String(node.value)
    if (value === '') return
    const lower = String(last).toLowerCase()
    if (['env', 'headers', 'custom_vars', 'extra_params'].includes(String(parent).toLowerCase()))
      places.push({ node, value, name: String(last), keep: 0 })
    else if (
      ['api_key', 'client_secret', 'password', 'token', 'secret'].includes(lower) ||
      (secretName.test(lower) && !/_file$|_path$|_dir$|require|mode|provider|enabled|broker|url|hours|risk|reveal/.test(lower))
    )
      places.push({ node, value, name: String(last), keep: 0 })
    else if (node.type === 'string') addSpans(node, lineSecrets(value))
  }
  const addSpans = (node: Node, spans: readonly SecretSpan[]): void => {
    for (const { from, to, name } of spans) places.push({ node, value: String(node.value).slice(from, to), name, keep: from })
  }
  visit(root, '', '')
  return places
}

/** Of broken JSON what no parser could tell a name for: comments, wrongly quoted values, words, what follows the end. */
function unparsed({ text, problems }: ConfigDocument): { from: number; to: number; with: string }[] {
  return problems.flatMap(({ what, offset, length }) => {
    const end = offset + length
    if (what === 'text-after-end') return lineCuts(text, end, text.length)
    if (what === 'comment') return lineCuts(text, offset + 2, end)
    if (what === 'single-quote' || what === 'smart-quote') return lineCuts(text, offset + 1, end - 1)
    // `True` and `undefined` tell what is wrong.
    return what === 'InvalidSymbol' && !/^[A-Za-z]{1,9}$/.test(text.slice(offset, end)) ? lineCuts(text, offset, end) : []
  })
}

/** Everything but blanks at the ends of lines, so that lines stay lines. */
function lineCuts(text: string, from: number, to: number): { from: number; to: number; with: string }[] {
  return [...text.slice(from, to).matchAll(/\S(?:.*\S)?/g)].map((m) => ({
    from: from + m.index,
    to: from + m.index + m[0].length,
    with: mark,
  }))
}

/**
 * The configuration's text with every secret replaced by the mark, and for an offset of the
 * original the offset in it; lines stay lines. For excerpts and diffs.
 */
export function maskedConfig(document: ConfigDocument): MaskedConfig {
  let known = masks.get(document)
  if (!known) {
    known = mask(document)
    masks.set(document, known)
  }
  return known
}

export interface MaskedConfig {
  text: string
  offset(original: number): number
  /** Column, from 1, of an offset of the masked text. */
  column(offset: number): number
}

// Every citation asks for it.
const masks = new WeakMap<ConfigDocument, MaskedConfig>()

/** Where a character of a string stands in its JSON, quote included. */
function writtenAt(raw: string, index: number): number {
  let at = 1
  for (let i = 0; i < index; i++) at += raw[at] !== '\\' ? 1 : raw[at + 1] === 'u' ? 6 : 2
  return Math.min(at, raw.length - 1)
}

function mask(document: ConfigDocument): MaskedConfig {
  const known = secretNodes(document)
    .filter((p) => p.value !== '' && !/^\$\{(?:env|keyring):[^}]*\}$/.test(p.value))
    .map(({ node, value, keep }) => {
      const raw = document.text.slice(node.offset, node.offset + node.length)
      if (!raw.startsWith('"')) return { from: node.offset, to: node.offset + node.length, with: `"${mark}"` }
      const from = writtenAt(raw, keep)
      const last = keep + value.length >= String(node.value).length
      return { from: node.offset + from, to: node.offset + (last ? raw.length - 1 : writtenAt(raw, keep + value.length)), with: mark }
    })
  const cuts: { from: number; to: number; with: string; shift: number }[] = []
  let text = ''
  let at = 0
  let shift = 0
  for (const cut of [...known, ...unparsed(document)].filter((c) => c.to > c.from).sort((a, b) => a.from - b.from)) {
    if (cut.from < at) continue
    text += document.text.slice(at, cut.from) + cut.with
    at = cut.to
    cuts.push({ ...cut, shift })
    shift += cut.with.length - (cut.to - cut.from)
  }
  text += document.text.slice(at)
  const starts = lineStarts(text)
  return {
    text,
    offset(original) {
      let [low, high] = [0, cuts.length]
      while (low < high) {
        const middle = (low + high) >> 1
        if ((cuts[middle]?.from ?? 0) < original) low = middle + 1
        else high = middle
      }
      // The last cut that begins before it.
      const cut = cuts[low - 1]
      if (!cut) return original
      return cut.to <= original ? original + cut.shift + cut.with.length - (cut.to - cut.from) : cut.from + cut.shift
    },
    column: (offset) => positionIn(starts, offset).column,
  }
}
