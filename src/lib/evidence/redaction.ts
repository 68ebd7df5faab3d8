/**
 * Takes secrets out of the texts of a capture, so that the same diagnosis follows from what is left. Two rounds: `learn` finds
 * the values, by their names and by their form; `redact` strikes them in all their spellings, wherever they stand.
 * A value becomes the same token everywhere; with another key it becomes another one.
 */
import { createHmac } from 'node:crypto'
import { isJson } from '../formats/loose.ts'
import { parseConfig } from '../formats/mcp-config.ts'
import { parseLogLine } from '../formats/log-line.ts'
import { isSecretWord } from './secret-arguments.ts'
import { harmless, secretPatterns } from './secret-patterns.ts'
import { namedSecrets, statedSecrets, type NamedSecret } from './secret-values.ts'
import { diagnosticWords, isToken, secretName, worthHiding } from './secret-worth.ts'
import { secretNodes } from './secrets.ts'
import { makeFragmentStriker, makeStriker, percentDecoded, spellings, type Spelled } from './spellings.ts'

export interface Redaction {
  /** The file of the capture. */
  place: string
  kind: string
  /** What stands there now. */
  token: string
  /** How often. */
  count: number
}

export interface Identity {
  home: string
  users: readonly (string | undefined)[]
  hosts: readonly (string | undefined)[]
  /** Words that the capture itself is made of: keys, names of files. A user or host who is called so stays, but for the home. */
  words?: Iterable<string>
}

export interface RedactionOptions {
  /** 32 random bytes that are not kept, so that nobody can try values against the tokens. */
  key: Buffer
  /** Null: user and host names and home paths stay. */
  identity: Identity | null
  /** Words that a diagnosis is read from: names of servers, programs, images. */
  keep: Iterable<string>
}

export interface CaptureRedactor {
  /** `form`: how the text is read. */
  learn(text: string, form: 'json' | 'lines' | 'config'): void
  redact(text: string, place: string): string
  redactions(): Redaction[]
}

interface Known {
  value: string
  kind: string
  strength: NamedSecret['strength']
}

interface Rule {
  from: RegExp
  token: string
  kind: string
}

interface FreeValue extends Spelled {
  token: string
  kind: string
}

/** Is told what goes, and gives what stands there then. */
type Note = (kind: string, mark: string) => string

/** Texts in which secrets stand so close that they hide each other are rare, and made up where there are many. */
const mostRounds = 6
/** Longer ones are no regular expression any more. */
const longestPattern = 1000

export function createRedactor(options: RedactionOptions): CaptureRedactor {
  const keep = new Set([...options.keep].map((w) => w.toLowerCase()))
  const ownWords = new Set([...keep, ...[...(options.identity?.words ?? [])].map((w) => w.toLowerCase())])
  const known = new Map<string, Known>()
  /** Values that are struck only beside their name: too short or too common to be struck from any text. */
  const pairs = new Map<string, { name: string; value: string }>()
  const counts = new Map<string, Redaction>()
  let rules: Rule[] | null = null
  let strikeFragments: ReturnType<typeof makeFragmentStriker<Known>> | null = null
  /** For texts that are JSON, and for others. */
  const free: { json: FreeValue[] | null; raw: FreeValue[] | null } = { json: null, raw: null }

  /** As it is meant and as an address spells it, it is one secret. */
  const token = (value: string): string => {
    const meant = percentDecoded(value) ?? value
    const strengths = [value, meant].map((v) => known.get(v)?.strength)
    const prefix = strengths.includes('value') && !strengths.includes('secret') ? 'VALUE' : 'SECRET'
    return `${prefix}_${createHmac('sha256', options.key).update(meant).digest('hex').slice(0, 12)}`
  }
  const remember = (value: string, kind: string, strength: Known['strength']): void => {
    const before = known.get(value)
    if (before?.strength === 'secret' || isToken(value)) return
    known.set(value, { value, kind: before && strength === 'value' ? before.kind : kind, strength })
    rules = strikeFragments = free.json = free.raw = null
    const meant = percentDecoded(value)
    if (meant !== null && worthHiding(meant, 'token')) remember(meant, kind, strength)
  }
  const learnNamed = ({ name, value, kind, strength }: NamedSecret): void => {
    // Of an address the parts that are secret go, the rest says where the server wants to go.
    if (/^[a-z][a-z0-9+.-]*:\/\//i.test(value) && !isSecretWord(name)) return learnShapes(value)
    if (strength === 'value' && isPathList(name, value)) return
    if (strength === 'value' && (/^-|localhost|127\.0\.0\.1|host\.docker\.internal/.test(value) || keep.has(value.toLowerCase())))
      return learnShapes(value)
    remember(value, kind, strength)
    pairs.set(`${name}\0${value}`, { name, value })
  }
  /** By their form alone, wherever they stand. */
  const learnShapes = (text: string): void => {
    for (const { kind, pattern } of secretPatterns)
      for (const { groups } of text.matchAll(pattern())) {
        const value = groups?.['secret'] ?? ''
        if (harmless(kind, value)) continue
        // The name before the colon goes where it stands, and nowhere else: it may be `user`.
        const password = kind === 'url-credentials' ? value.slice(value.indexOf(':') + 1) : ''
        if (worthHiding(password, 'token')) remember(password, kind, 'secret')
        remember(value, kind, 'secret')
      }
  }

  const learnNames = (text: string, form: 'json' | 'lines' | 'config'): void => {
    if (form === 'lines') {
      for (const line of text.split('\n')) {
        const fields = parseLogLine(line, '', null)?.fields
        if (fields) namedSecrets(fields).forEach(learnNamed)
        else {
          for (const item of jsonOf(line)) namedSecrets(item).forEach(learnNamed)
          statedSecrets(line).forEach(learnNamed)
        }
      }
      return
    }
    const items = jsonOf(text)
    for (const item of items) namedSecrets(item).forEach(learnNamed)
    if (items.length === 0) statedSecrets(text).forEach(learnNamed)
    if (form !== 'config') return
    // Also of a file that is no JSON any more.
    for (const { name, value } of secretNodes(parseConfig('', Buffer.from(text))))
      if (worthHiding(value, name) && !/\*{3}|\$\{/.test(value) && !isToken(value))
        learnNamed({ name, value, kind: 'config', strength: secretName.test(name) ? 'secret' : 'value' })
  }

  return {
    learn(text, form) {
      // A secret may hide the name of the one that stands right behind it: what is known is taken out, until nothing more comes to light.
      let rest = text
      for (let round = 0, before = -1; known.size > before && round < mostRounds; round++) {
        before = known.size
        learnNames(rest, form)
        learnShapes(rest)
        if (known.size > before) rest = struck(rest, (_kind, mark) => mark)
      }
    },
    redact(text, place) {
      const note: Note = (kind, mark) => {
        const key = `${place}\0${kind}\0${mark}`
        const entry = counts.get(key) ?? { place, kind, token: mark, count: 0 }
        counts.set(key, { ...entry, count: entry.count + 1 })
        return mark
      }
      const result = struck(text, note)
      return options.identity ? withoutIdentity(result, options.identity, ownWords, note) : result
    },
    redactions: () => [...counts.values()].sort((a, b) => (a.place + a.kind + a.token < b.place + b.kind + b.token ? -1 : 1)),
  }

  function struck(text: string, note: Note): string {
    rules ??= pairRules()
    const values = isJson(text) ? (free.json ??= freeValues(false)) : (free.raw ??= freeValues(true))
    let result = text
    for (const { from, token: mark, kind } of rules)
      result = result.replace(from, (whole: string, ...found: unknown[]) => {
        const before = typeof found[0] === 'string' ? found[0] : ''
        return isToken(whole.slice(before.length)) ? whole : before + note(kind, mark)
      })
    result = makeStriker(values, (found) => note(found.kind, found.token))(result)
    strikeFragments ??= makeFragmentStriker(
      [...known.values()].filter(({ value, strength }) => (strength === 'secret' || looksRandom(value)) && !keep.has(value.toLowerCase())),
    )
    result = strikeFragments(result, ({ value, kind }) => note(kind, token(value)))
    for (const { kind, pattern } of secretPatterns)
      result = result.replace(pattern(), (whole: string, ...rest: unknown[]) => {
        const value = (rest.at(-1) as { secret: string }).secret
        const at = whole.lastIndexOf(value)
        return harmless(kind, value) ? whole : whole.slice(0, at) + note(kind, token(value)) + whole.slice(at + value.length)
      })
    return result
  }

  /** `NAME=value` and `"NAME": "value"`. */
  function pairRules(): Rule[] {
    return [...pairs.values()]
      .filter(({ value }) => value.length <= longestPattern)
      .sort((a, b) => b.value.length - a.value.length)
      .flatMap(({ name, value }) =>
        spellings(value, false).plain.map((spelled) => ({
          from: new RegExp(`((?<![\\w])${escaped(name)}(?:=["']?|\\\\*"?\\s*[:,=]\\s*\\\\*"))${escaped(spelled)}(?![\\w.-])`, 'g'),
          token: token(value),
          kind: known.get(value)?.kind ?? 'env',
        })),
      )
  }

  /** The values themselves, in all their spellings. */
  function freeValues(raw: boolean): FreeValue[] {
    return [...known.values()].flatMap(({ value, kind, strength }) => {
      if (keep.has(value.toLowerCase()) || /^\d+$/.test(value) || (strength === 'value' && !looksRandom(value))) return []
      // Who has such a word as a password shares it with every log: it goes only beside its name.
      if (diagnosticWords.has(value.toLowerCase())) return []
      const { plain, encoded } = spellings(value, raw)
      const found = { token: token(value), kind }
      const isOneWord = /^[A-Za-z]{1,9}$/.test(value)
      return [
        ...plain.map((text) => ({ ...found, text, word: isOneWord || text.length < 8 })),
        ...encoded.map((text) => ({ ...found, text, word: false })),
      ]
    })
  }
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
const looksRandom = (value: string): boolean => value.length >= 8 && /\d/.test(value) && /[a-z]/i.test(value) && !/[\s/]/.test(value)

/** PATH and the like: what a program is looked for in is what many diagnoses are about. */
const isPathList = (name: string, value: string): boolean => /(?:^|_)(?:PATH|HOME|DIR)$/i.test(name) && /^(?:[A-Za-z]:)?[\\/~.]/.test(value)

/** The whole as JSON, or each line of it that is. */
function jsonOf(text: string): unknown[] {
  try {
    return [JSON.parse(text.replace(/^\uFEFF/, '')) as unknown]
  } catch {
    return text.split('\n').flatMap((line) => {
      if (!/^\s*[[{]/.test(line)) return []
      try {
        return [JSON.parse(line) as unknown]
      } catch {
        return []
      }
    })
  }
}

/** Names of users that images and systems bring along: they tell nothing of anybody. */
const common = new Set(
  'user root node app appuser pwuser nonroot nobody ubuntu debian alpine runner vscode mcp docker linuxbrew public default shared admin jovyan python circleci coder www-data host localhost'.split(
    ' ',
  ),
)
/** Folders and words that every capture has, also as keys of its JSON: struck everywhere, nothing could be read any more. */
const wordsOfCaptures = new Set(
  (
    'api app args bin body build bytes deploy dev env etc events files format gz home inspects json kind lib locations log mnt ndjson opt ' +
    'platform projects replays srv src sys text tmp usr var web work workspace'
  ).split(' '),
)
/** Programs and images that users and hosts are named after: what cannot be found, or is started, is what a diagnosis is about. */
const programs = new Set(
  (
    'bun cargo chrome chromium cmake composer curl deno elastic firefox gcc gem git github gitlab go golang grafana java jenkins make mongo ' +
    'mongodb mysql nginx npm npx nvm openssl perl php pip pip3 pipx playwright pnpm podman postgres postgresql puppeteer rabbitmq ruby rust ' +
    'rustc sqlite ssh tar uv uvx wget yarn zsh'
  ).split(' '),
)
const isOrdinary = (name: string): boolean => [wordsOfCaptures, diagnosticWords, programs].some((words) => words.has(name.toLowerCase()))
const commonHosts = /^(?:docker-desktop|colima.*|lima.*|orbstack|podman.*|rancher-desktop|minikube|localhost|default|host)$/i

/** `keep`: words that are struck only where they can be nothing but the name of the user. */
function withoutIdentity(text: string, identity: Identity, keep: ReadonlySet<string>, note: Note): string {
  const { home } = identity
  const base = home.split(/[\\/]/).at(-1) ?? ''
  const named = [base, ...identity.users].filter((u): u is string => u !== undefined && u !== '' && u !== 'root' && u !== 'user')
  const users = named.filter((u) => u.length > 2 && !common.has(u.toLowerCase()) && !isOrdinary(u) && !keep.has(u.toLowerCase()))
  let result = text
  const mark = plainHome(home)
  if (home !== '/root' && base !== '' && home !== mark) {
    for (const [spelled, hidden] of new Map([
      [home, mark],
      [home.replaceAll('\\', '\\\\'), mark.replaceAll('\\', '\\\\')],
      [encodeURIComponent(home), encodeURIComponent(mark)],
    ]))
      result = result.replace(new RegExp(`${escaped(spelled)}(?![\\w.-])`, 'g'), () => note('home', hidden))
  }
  result = result.replace(
    /((?:\/home|\/Users|[A-Za-z]:\\{1,2}Users)(?:\/|\\{1,2}))([A-Za-z0-9_][\w.-]*)/g,
    (whole, before: string, name: string) => (common.has(name.toLowerCase()) ? whole : before + note('home', 'user')),
  )
  for (const user of new Set(named))
    result = result.replace(
      new RegExp(`(\\b(?:USER|LOGNAME|USERNAME)\\b(?:=["']?|\\\\*"?\\s*:\\s*\\\\*"))${escaped(user)}(?![\\w.-])`, 'g'),
      (_whole, before: string) => before + note('user-name', 'user'),
    )
  for (const user of new Set(users))
    result = result.replace(new RegExp(`(?<![\\w-])${escaped(user)}(?![\\w-])`, 'g'), () => note('user-name', 'user'))
  const hosts = identity.hosts.filter(
    (h): h is string =>
      h !== undefined && h.length > 2 && !commonHosts.test(h) && !isOrdinary(h) && !keep.has(h.toLowerCase()) && !/^[\d.:]+$/.test(h),
  )
  for (const host of new Set(hosts))
    result = result.replace(new RegExp(`(?<![\\w-])${escaped(host)}(?![\\w-])`, 'g'), () => note('host-name', 'host'))
  return result
}

/** What a home is called in a redacted capture. */
export const plainHome = (home: string): string =>
  /^[A-Za-z]:/.test(home) ? `${home.slice(0, 2)}\\Users\\user` : home.startsWith('/Users/') ? '/Users/user' : '/home/user'
