/**
 * Secret values, and how they are kept out of everything that is shown. `env`, headers, API keys,
 * `-e` values of any docker argument list (main.log holds them in clear), credentials in URLs, and
 * what looks like a token anywhere.
 */
import type { Node } from 'jsonc-parser'
import type { ConfigDocument, ConfigPath } from '../formats/mcp-config.ts'
import type { DockerRun } from '../formats/docker-run.ts'

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
])
export const secretName = /key|token|secret|passw|pwd|credential|auth|cookie|session|bearer|private|signature|dsn/i

/** Too short or too common to be struck from text; in their own place values are masked all the same. */
export function worthHiding(value: string, name: string): boolean {
  const v = value.trim()
  if (v.length < 4 || plainWords.has(v.toLowerCase()) || /^\$\{[^}]*\}$/.test(v)) return false
  if (secretName.test(name)) return true
  return (
    !/^\d{1,5}$/.test(v) &&
    !/^(?:\/|\.\/|~\/)[\w./-]*$/.test(v) &&
    !/^https?:\/\/(?:localhost|127\.0\.0\.1|host\.docker\.internal)(?::\d+)?[\w/.-]*$/i.test(v)
  )
}

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
const urlCredentials = /\b([a-z][a-z0-9+.-]*:\/\/)([^\s/@:"']+:)?([^\s/@"']+)@/gi
const querySecrets = /([?&](?:api_?key|token|access_token|key|secret|password|sig|signature|auth)=)[^&\s"'#]+/gi
const bearer = /\b(Bearer|Basic) [\w.~+/-]{8,}=*/g
// --token=x, API_KEY=x, "password": "x"
const assignments =
  /((?:^|[\s"'`({,;])(?:--?)?[\w-]{0,64}(?:api[_-]?key|access[_-]?key|token|secret|passwo?r?d|pwd|credential)[\w-]{0,64}["']?\s{0,4}(?:=|:\s?)\s*["']?)([^\s"'`,;)}&]{4,})/gi

export type Redactor = (text: string) => string

/** Strikes known values (longest first) and what looks like a secret. */
export function makeRedactor(values: Iterable<string>): Redactor {
  const spellings = new Set<string>()
  for (const value of values) {
    spellings.add(value)
    spellings.add(JSON.stringify(value).slice(1, -1))
    spellings.add(encodeURIComponent(safe(value)))
    if (value.length >= 8) spellings.add(Buffer.from(value).toString('base64').replace(/=+$/, ''))
  }
  const known = [...spellings].filter((v) => v.length >= 4).sort((a, b) => b.length - a.length)
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
    .replace(urlCredentials, `$1${mark}@`)
    .replace(querySecrets, `$1${mark}`)
    .replace(bearer, `$1 ${mark}`)
    .replace(assignments, (whole, before: string, value: string) =>
      value.includes(mark) || /^\$\{/.test(value) || isStatement(value) ? whole : `${before}${mark}`,
    )
}

/** `token: undefined`, `API_KEY is required`: words of a message, not a value. */
const isStatement = (value: string): boolean =>
  /^(?:undefined|null|none|true|false|missing|required|invalid|unset|not|is|was|expired|string|str|must|environment|object|\(?unknown\)?)[.!]?$/i.test(
    value,
  )

// ---- where secrets stand ----------------------------------------------------------

/** Values of `-e NAME=VALUE` in a docker command. */
export function runSecrets(run: DockerRun): string[] {
  return run.flags.flatMap((f) => {
    if (f.name !== 'env' || f.value === null) return []
    const at = f.value.indexOf('=')
    // `-e ghp_…`: a value in place of a name.
    if (at < 0) return /^[A-Za-z_]\w*$/.test(f.value) && f.value.length < 24 ? [] : [f.value]
    return worthHiding(f.value.slice(at + 1), f.value.slice(0, at)) ? [f.value.slice(at + 1)] : []
  })
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
  return shown
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
  return secretNodes(document).flatMap(({ value, name }) => (worthHiding(value, name) ? [value] : []))
}

interface SecretPlace {
  node: Node
  value: string
  name: string
  /** Characters of the value that stay, e.g. `NAME=` of `-e NAME=VALUE`. */ keep: number
}

/** String nodes that hold a secret, or an argument that holds one. */
export function secretNodes(document: ConfigDocument): SecretPlace[] {
  const places: SecretPlace[] = []
  const visit = (node: Node, path: ConfigPath): void => {
    if (node.type === 'object') {
      for (const p of node.children ?? []) if (p.children?.[1]) visit(p.children[1], [...path, String(p.children[0]?.value)])
      return
    }
    if (node.type === 'array') {
      node.children?.forEach((child, i) => {
        const previous = i > 0 ? node.children?.[i - 1] : undefined
        if (child.type === 'string')
          addArgument(
            child,
            previous?.type === 'string' ? String(previous.value) : '',
            /^(?:-e|--env)$/.test(String(node.children?.[i - 2]?.value ?? '')),
          )
        else visit(child, [...path, i])
      })
      return
    }
    if (node.type !== 'string' && node.type !== 'number') return
    const value = String(node.value)
    if (value === '') return
    const [last = '', parent = ''] = [...path].reverse().map(String)
    const lower = String(last).toLowerCase()
    if (['env', 'headers', 'custom_vars', 'extra_params'].includes(String(parent).toLowerCase()))
      places.push({ node, value, name: String(last), keep: 0 })
    else if (
      ['api_key', 'client_secret', 'password', 'token', 'secret'].includes(lower) ||
      (secretName.test(lower) && !/_file$|_path$|_dir$|require|mode|provider|enabled|broker|url|hours|risk|reveal/.test(lower))
    )
      places.push({ node, value, name: String(last), keep: 0 })
  }
  const addArgument = (node: Node, previous: string, afterName: boolean): void => {
    const value = String(node.value)
    const own =
      /^(?:-e|--env)=?([^=\s]+=)(.+)$/s.exec(value) ??
      /^(--?[\w-]*(?:key|token|secret|passw|pwd|credential|auth|bearer)[\w-]*=)(.+)$/is.exec(value) ??
      null
    if (own) places.push({ node, value: own[2] ?? '', name: own[1] ?? '', keep: value.length - (own[2] ?? '').length })
    else if (/^(?:-e|--env)$/.test(previous) || /^-[a-z]*e$/.test(previous)) {
      const at = value.indexOf('=')
      if (at >= 0) places.push({ node, value: value.slice(at + 1), name: value.slice(0, at), keep: at + 1 })
      else if (!/^[A-Za-z_]\w*$/.test(value) || /^(?:gh[pousr]_|sk-|xox|glpat)/.test(value))
        places.push({ node, value, name: 'token', keep: 0 })
    } else if (/^--?[\w-]*(?:key|token|secret|passw|pwd|credential|auth|bearer)[\w-]*$/i.test(previous) && !value.startsWith('-'))
      places.push({ node, value, name: previous, keep: 0 })
    else {
      const assigned = /^([A-Z][A-Z0-9_]*(?:KEY|TOKEN|SECRET|PASSWORD|PASS|PWD)=)(.+)$/s.exec(value)
      // A value that slipped out of its place, e.g. after `-e NAME`.
      const stray =
        (afterName ? /^[\w-]{8,}$/ : /^[\w-]{20,}$/).test(value) && (value.match(/\d/g) ?? []).length >= 4 && /[a-z]/i.test(value)
      if (stray) places.push({ node, value, name: 'token', keep: 0 })
      else if (assigned) places.push({ node, value: assigned[2] ?? '', name: assigned[1] ?? '', keep: (assigned[1] ?? '').length })
    }
  }
  if (document.root) visit(document.root, [])
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
export function maskedConfig(document: ConfigDocument): { text: string; offset(original: number): number } {
  const known = secretNodes(document)
    .filter((p) => p.value !== '' && !/^\$\{(?:env|keyring):[^}]*\}$/.test(p.value))
    .map(({ node, value, keep }) => {
      const raw = document.text.slice(node.offset, node.offset + node.length)
      if (!raw.startsWith('"')) return { from: node.offset, to: node.offset + node.length, with: `"${mark}"` }
      const encoded = JSON.stringify(value).slice(1, -1)
      const from = raw.endsWith(`${encoded}"`)
        ? node.offset + node.length - 1 - encoded.length
        : node.offset + 1 + (keep > 0 && keep < raw.length - 2 ? keep : 0)
      return { from, to: node.offset + node.length - 1, with: mark }
    })
  const cuts = [...known, ...unparsed(document)].filter((c) => c.to > c.from).sort((a, b) => a.from - b.from)
  let text = ''
  let at = 0
  for (const cut of cuts) {
    if (cut.from < at) continue
    text += document.text.slice(at, cut.from) + cut.with
    at = cut.to
  }
  text += document.text.slice(at)
  return {
    text,
    offset(original) {
      let shift = 0
      for (const cut of cuts) {
        if (cut.to <= original) shift += cut.with.length - (cut.to - cut.from)
        else if (cut.from < original) return cut.from + shift
      }
      return original + shift
    },
  }
}
