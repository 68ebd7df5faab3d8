/**
 * Secret values, and how they are kept out of everything that is shown. `env`, headers, API keys,
 * `-e` values of any docker argument list (main.log holds them in clear), credentials in URLs, and
 * what looks like a token anywhere.
 */
import type { Node } from 'jsonc-parser'
import { lineStarts, positionIn, type ConfigDocument } from '../formats/mcp-config.ts'
import type { DockerRun } from '../formats/docker-run.ts'
import {
  addressCredentials,
  argumentSecrets,
  authScheme,
  isSecretParameter,
  isSecretWord,
  lineSecrets,
  queryValues,
  type SecretSpan,
} from './secret-arguments.ts'

export const mark = '••••'

// Values that say nothing about anybody, and without which a diagnosis cannot be read.
const plainWords = new Set([
  'true',
  'false',
  'yes',
  'no',
  'on',
  'off',
  'none',
  'null',
  'info',
  'debug',
  'warn',
  'warning',
  'error',
  'trace',
  'production',
  'development',
  'staging',
  'test',
  'stdio',
  'http',
  'https',
  'sse',
  'utf-8',
  'utf8',
  'c.utf-8',
  'en_us.utf-8',
  'localhost',
  '127.0.0.1',
  '0.0.0.0',
  '::1',
  'host.docker.internal',
  'default',
  'node',
  'python',
  'docker',
  'root',
  'utc',
  'oauth',
  'oauth2',
  'basic',
  'bearer',
  'apikey',
  'api-key',
  'password',
  'secret',
  'token',
])
export const secretName = /key|token|secret|passw|pwd|credential|auth|cookie|session|bearer|private|signature|dsn/i

/** Too short or too common to be struck from text; in their own place values are masked all the same. */
export function worthHiding(value: string, name: string): boolean {
  const v = value.trim()
  if (v.length < 4 || plainWords.has(v.toLowerCase()) || /^\$\{[^}]*\}$/.test(v)) return false
  if (secretName.test(name)) return true
  return (
    !/^\d{1,5}$/.test(v) &&
    !isNameOfThing(v) &&
    !/^(?:\/|\.\/|~\/)[\w./-]*$/.test(v) &&
    !/^https?:\/\/(?:localhost|127\.0\.0\.1|host\.docker\.internal)(?::\d+)?[\w/.-]*$/i.test(v)
  )
}

/** An image or a package: `mcp/everything`, `node:20-alpine`, `@scope/name@1.2.3`. */
const isNameOfThing = (v: string): boolean =>
  /^@?[a-z][a-z._-]*(?:\/[a-z][a-z._-]*)+(?:[:@][\w.-]{1,20})?$/.test(v) ||
  /^[a-z][a-z._-]*\d{0,2}[:@](?:latest|lts|slim|alpine|v?\d+(?:\.\d+)*)(?:-[a-z0-9.]+)*$/.test(v) ||
  /^v?\d+(?:\.\d+){1,3}$/.test(v)

// The forms of well-known tokens.
const tokenShapes = [
  /\bgh[pousr]_[A-Za-z0-9]{20,}\b/g,
  /\bgithub_pat_[A-Za-z0-9_]{20,}\b/g,
  /\bglpat-[\w-]{16,}/g,
  /\bsk-(?:ant-|proj-|live-|test-)?[\w-]{16,}/g,
  /\bxox[abeoprs]-[\w-]{10,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
  /\bAIza[\w-]{30,}/g,
  /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g,
  /\bnpm_[A-Za-z0-9]{30,}\b/g,
  /\bhf_[A-Za-z0-9]{20,}\b/g,
  /\bmcp_agt_[\w-]{8,}/g,
  /\bpypi-[\w-]{16,}/g,
  // What stands in a bundle in place of a secret.
  /\bSECRET_[0-9a-f]{12}\b/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
]
const bearer = /\b(Bearer|Basic) [\w.~+/-]{8,}=*/g
// --token=x, API_KEY=x, "password": "x"
const assignments =
  /((?:^|[\s"'`({,;])(?:--?)?[\w-]{0,64}(?:api[_-]?key|access[_-]?key|token|secret|passwo?r?d|pwd|credential)[\w-]{0,64}["']?\s{0,4}(?:=|:\s?)\s*["']?)([^\s"'`,;)}&]{4,})/gi

const sayings = {
  // -e NAME=x, also as two words in quotes.
  variable:
    /((?:^|[\s"'`[,(])(?:-[ditqP]*e|--env|--build-arg)(?:=|\s+|["'],?\s*)["']?([A-Za-z_][\w.]*)=)("[^"\n]*"|'[^'\n]*'|[^\s"'`,\]]+)/g,
  attached: /((?:^|[\s"'`[,(])-[ditqP]*e([A-Z_][A-Z0-9_]*)=)("[^"\n]*"|'[^'\n]*'|[^\s"'`,\]]+)/g,
  flag: /((?:^|[\s"'`[,(])(--[A-Za-z][\w-]*)(?:=|\s+|["'],?\s+)["']?)([^\s"'`,;)\]-][^\s"'`,;)\]]*)/g,
  header:
    /(\b((?:proxy-)?authorization|x-[\w-]+|cookie)["']?\s*:\s*["']?(?:(?:bearer|basic|token|digest|api-?key|key)\s+)?)([^\s"'`,;)]{4,})/gi,
}

export type Redactor = (text: string) => string

/** What is looked for in texts for these values, the longest first. */
export function secretSpellings(values: Iterable<string>): string[] {
  const spellings = new Set<string>()
  for (const value of values) {
    spellings.add(value)
    spellings.add(JSON.stringify(value).slice(1, -1))
    spellings.add(encodeURIComponent(safe(value)))
    if (value.length >= 8) spellings.add(Buffer.from(value).toString('base64').replace(/=+$/, ''))
  }
  return [...spellings].filter((v) => v.length >= 4).sort((a, b) => b.length - a.length)
}

/** Strikes known values (longest first) and what looks like a secret. */
export function makeRedactor(values: Iterable<string>): Redactor {
  const known = secretSpellings(values)
  return (text) => {
    let result = text
    for (const value of known)
      if (result.includes(value)) result = value.length < 8 ? strikeWord(result, value) : result.replaceAll(value, mark)
    return maskShapes(result)
  }
}

// A lone surrogate cannot be URL-encoded.
const safe = (value: string): string => value.replace(/[\uD800-\uDFFF]/g, '')

/** Short values are struck only as whole words, so that `1234` does not eat into a time. */
function strikeWord(text: string, value: string): string {
  const escaped = value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return text.replace(new RegExp(`(?<![\\w-])${escaped}(?![\\w-])`, 'g'), mark)
}

export function maskShapes(text: string): string {
  let result = text
  for (const shape of tokenShapes) result = result.replace(shape, mark)
  return result
    .replace(addressCredentials[0], withoutUser)
    .replace(addressCredentials[1], withoutUser)
    .replace(queryValues, (whole, before: string, name: string, value: string) =>
      isSecretParameter(name) && !/^\$[{\w]/.test(value) ? before + mark : whole,
    )
    .replace(sayings.variable, (whole, before: string, name: string, value: string) => (tells(value, name) ? before + mark : whole))
    .replace(sayings.attached, (whole, before: string, name: string, value: string) => (tells(value, name) ? before + mark : whole))
    .replace(sayings.flag, (whole, before: string, name: string, value: string) =>
      isSecretWord(name) && tells(value, 'token') && !/^[A-Za-z]{1,9}[.!:]?$/.test(value) ? before + mark : whole,
    )
    .replace(sayings.header, (whole, before: string, name: string, value: string) =>
      tells(value, isSecretWord(name) ? 'token' : name) && !/^[a-z]+[.!]?$/.test(value) ? before + mark : whole,
    )
    .replace(bearer, `$1 ${mark}`)
    .replace(assignments, (whole, before: string, value: string) =>
      value.includes(mark) || /^\$\{/.test(value) || isStatement(value) ? whole : `${before}${mark}`,
    )
}

const withoutUser = (_whole: string, scheme: string): string => `${scheme}${mark}@`

/** A value in a text, where words may follow the name of a flag as well. */
const tells = (value: string, name: string): boolean =>
  !value.includes(mark) &&
  !/^\$[{\w]|^VALUE$|^<.*>$/.test(value) &&
  !isStatement(value) &&
  worthHiding(value.replace(/^["']|["']$/g, ''), name)

/** `token: undefined`, `API_KEY is required`: words of a message, not a value. */
const isStatement = (value: string): boolean =>
  /^(?:undefined|null|none|true|false|missing|required|invalid|unset|not|is|was|expired|string|str|must|environment|object|\(?unknown\)?)[.!]?$/i.test(
    value,
  )

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
    return worthHiding(f.value.slice(at + 1), f.value.slice(0, at)) ? [f.value.slice(at + 1)] : []
  })
  return [...inFlags, ...inCommand]
}

/** What is struck from all texts for a value: the value, and without its scheme (`Token …`) when it has one. */
function knownValues(value: string, name: string): string[] {
  const bare = value.replace(authScheme, '')
  return [value, ...(bare === value ? [] : [bare])].filter((v) => worthHiding(v, bare === value ? name : 'token'))
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
    const secret = worthHiding(value, name) && (secretName.test(name) || maskShapes(value) !== value)
    // `ghp_abc***CD` was masked by MCPProxy itself.
    return secret && !/\*{3}/.test(value) ? [name] : []
  })
}

/** Every secret value of a configuration. */
export function configSecrets(document: ConfigDocument): string[] {
  return secretPlaces(document).map(({ value }) => value)
}

/** The same with their places, in order. */
export const secretPlaces = (document: ConfigDocument): { offset: number; value: string }[] =>
  secretNodes(document).flatMap(({ node, value, name }) => knownValues(value, name).map((known) => ({ offset: node.offset, value: known })))

interface SecretPlace {
  node: Node
  value: string
  name: string
  /** Characters before it that stay, e.g. `NAME=` of `-e NAME=VALUE`. */
  keep: number
}

/** String nodes that hold a secret, or an argument that holds one. */
export function secretNodes(document: ConfigDocument): SecretPlace[] {
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
  if (document.root) visit(document.root, '', '')
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
