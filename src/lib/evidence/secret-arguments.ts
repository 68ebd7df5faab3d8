/**
 * Secrets in arguments and command lines: variables, flags, headers and addresses, in the spellings of docker, shells, curl and
 * the usual parsers of flags. What stands in such a place is masked there whatever it is; whether it is also struck from other
 * texts is another question (see `worthHiding`).
 */

import { withoutTokens } from './secret-worth.ts'

export interface SecretSpan {
  /** Characters of the argument, `to` exclusive. */
  from: number
  to: number
  /** The variable's name, or `token` for what its place makes a secret. */
  name: string
}

const secretWords = new Set(
  (
    'key keys apikey apikeys token tokens secret secrets pass passwd password passwords passphrase passcode pat pwd pw auth authorization credential credentials creds ' +
    'bearer cookie cookies jwt sig signature dsn accesskey secretkey privatekey authkey'
  ).split(' '),
)
/** `--token-file`, `--auth-type`: names a place or a kind, not the secret. */
const aboutSecret = new Set(
  'file path dir folder url uri type mode method provider limit timeout ttl length size count name header env var store storage backend format scheme enabled required algorithm'.split(
    ' ',
  ),
)
/** `--max-tokens`, `--no-auth`. */
const notBefore = new Set(['no', 'max', 'min', 'num', 'disable', 'skip', 'without'])

/** Is the value under this name (of a flag, a query parameter, a header) a secret? `--tavilyApiKey`, `--pat`; not `--path`, `--author`. */
export function isSecretWord(name: string): boolean {
  const words = withoutTokens(name)
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((w) => w !== '')
  // The address of a webhook is all that it takes to use it, and the id of a session is the session.
  if (/webhook-?_?url$|session-?_?id$/i.test(words.join('-'))) return true
  if (notBefore.has(words[0] ?? '') || aboutSecret.has(words.at(-1) ?? '')) return false
  return words.some((w) => secretWords.has(w) || /(?:token|secret|passw(?:or)?d|apikey|api_key|accesskey|auth|credentials?)$/.test(w))
}

/** One of these stands in every name for which that is true, in small letters. */
export const secretWordSigns: readonly string[] = [
  ...['key', 'token', 'secret', 'pass', 'pat', 'pwd', 'pw', 'auth', 'cred', 'bearer', 'cookie', 'jwt', 'sig', 'dsn', 'webhook', 'session'],
  // What stands in a bundle for a value may stand inside a name.
  'value_',
]

/** Is a string under this key of a JSON object a secret, whatever the object is? `"key": "server_name"` is none. */
export const isSecretKey = (key: string): boolean =>
  isSecretWord(key) && !/^(?:keys?|tokens|pass|auth|sig|signature|pat|pw|(?:sandbox|fixer|public|primary|cache|sort)_?key)$/i.test(key)

const harmlessHeader =
  /^(?:accept(?:-.*)?|access-control-.*|cache-control|connection|content-.*|date|host|mcp-protocol-version|origin|pragma|referer|te|transfer-encoding|upgrade|user-agent|via)$/i
export const authScheme = /^(?:bearer|basic|token|digest|api-?key|key|oauth|jwt|negotiate|hmac)\s+/i
/** A value that comes from elsewhere: `$NAME`, `${NAME}`, `${env:NAME}`. */
const reference = /^(?:\$\w+|\$\{(?:\w+|(?:env|keyring|secret):[^}]*)\})$/
export const isReference = (value: string): boolean => reference.test(value)
const assignment = /^([A-Za-z_]\w*)=([^]*)$/
const environmentFlag = /^(?:-[ditqP]*e|--env|--build-arg)$/
const attachedVariable = /^(?:(?:--env|--build-arg)=|-[ditqP]*e=)([^=\s]+)=([^]+)$/
const shortVariable = /^-[ditqP]*e([A-Za-z_][\w.]*)=([^]+)$/
const flagWithValue = /^(--?[A-Za-z][\w.-]*)=([^]+)$/
const userAndGroup = /^(?:\d+|root|node|nobody|nogroup|users?|staff|wheel|docker|daemon|www-data|app|mcp)$/

/** For each word of an argument list the spans that hold a secret. */
export function argumentSecrets(words: readonly string[]): SecretSpan[][] {
  let leading = true
  let container = false
  return words.map((word, i) => {
    const spans = wordSecrets(word, words[i - 1] ?? '', words[i - 2] ?? '', leading, container)
    leading = isOperator(word) || /(?:^|\/)(?:env|export|exec|sudo)$/.test(word) || (leading && assignment.test(word))
    container ||= word === 'run' || word === 'exec'
    return united(spans)
  })
}

/** The spans of one string: an address, a header, or a whole command line. */
export const lineSecrets = (line: string): SecretSpan[] => argumentSecrets([line])[0] ?? []

/** Most words of a configuration: too short to be drawn by lot, and without a sign that a secret would stand behind. */
const plainWord = /^[\w./][\w./-]{0,18}$/

/** Each pattern is asked only where it can match: to compile it takes longer than all the words of most configurations. */
function wordSecrets(word: string, previous: string, before: string, leading: boolean, container: boolean): SecretSpan[] {
  const [isFlag, afterFlag] = [word.startsWith('-'), previous.startsWith('-')]
  if (!afterFlag && !before.startsWith('-') && plainWord.test(word)) return []
  const [hasEquals, hasColon] = [word.includes('='), word.includes(':')]
  const end = (value: string, name: string): SecretSpan[] =>
    value === '' || reference.test(value) ? [] : [{ from: word.length - value.length, to: word.length, name }]
  const attached = isFlag && hasEquals ? (attachedVariable.exec(word) ?? variableInShort(word, container)) : null
  if (attached) return end(attached[2] ?? '', attached[1] ?? '')
  if (afterFlag && environmentFlag.test(previous)) {
    const at = word.indexOf('=')
    if (at >= 0 && !/[\s(]/.test(word.slice(0, at))) return end(word.slice(at + 1), word.slice(0, at))
    // A value in place of a name.
    if (
      at < 0 &&
      (/^(?:gh[pousr]_|sk-|xox|glpat)/.test(word) || (/^\w[\w.~+:-]{7,}$/.test(word) && !/^[A-Za-z_]\w*$|\.\w{1,4}$/.test(word)))
    )
      return end(word, 'token')
  }
  if (afterFlag && hasColon && /^(?:-H|--headers?)$/.test(previous)) {
    const spans = headerSecrets(word)
    if (spans.length > 0) return spans
  }
  const header = isFlag && hasColon ? /^(--headers?=|-H=?)(?=[A-Za-z][\w-]*:)([^]+)$/.exec(word) : null
  if (header) return moved(headerSecrets(header[2] ?? ''), (header[1] ?? '').length)
  const user = !hasColon
    ? null
    : afterFlag && /^(?:-u|--user|--proxy-user|-U)$/.test(previous)
      ? ['', word]
      : /^(?:--user=|--proxy-user=|-u)([^:=\s]+:[^]+)$/.exec(word)
  if (user) {
    const [, name = '', password = ''] = /^([^:/\s]+):([^/][^]*)$/.exec(user[1] ?? '') ?? []
    if (password !== '' && password !== name && !userAndGroup.test(password)) return end(password, 'token')
  }
  const flag = isFlag && hasEquals ? flagWithValue.exec(word) : null
  if (flag && isSecretWord(flag[1] ?? '')) return end(flag[2] ?? '', 'token')
  if (afterFlag && /^--?[A-Za-z][\w.-]*$/.test(previous) && isSecretWord(previous) && !/^-(?:-|[A-Za-z]$)/.test(word))
    return end(word, 'token')
  if (/\s/.test(word.trim())) return [...bareHeader(word), ...commandLineSecrets(word), ...jsonSecrets(word), ...addressSecrets(word)]
  const variable = hasEquals ? assignment.exec(word) : null
  if (variable && (leading || /^[A-Z_][A-Z0-9_]*$/.test(variable[1] ?? '') || isSecretWord(variable[1] ?? '')))
    return end(variable[2] ?? '', isSecretWord(variable[1] ?? '') ? 'token' : (variable[1] ?? ''))
  // A value that slipped out of its place, e.g. after `-e NAME`.
  const digits = word.length < 8 ? 0 : (word.match(/\d/g) ?? []).length
  if (digits >= 4 && (environmentFlag.test(before) ? /^[\w-]{8,}$/ : /^[\w-]{20,}$/).test(word) && /[a-z]/i.test(word))
    return end(word, 'token')
  return [...bareHeader(word), ...jsonSecrets(word), ...addressSecrets(word)]
}

/** `-eNAME=value`: of docker any name; elsewhere `-encoding=utf8` is a flag. */
function variableInShort(word: string, container: boolean): RegExpExecArray | null {
  const found = shortVariable.exec(word)
  return found && (container || /^[A-Z_]/.test(found[1] ?? '')) ? found : null
}

/** `Name: value`; a scheme and the names of cookies stay. */
function headerSecrets(text: string): SecretSpan[] {
  const [, lead = '', name = '', value = ''] = /^(([A-Za-z][\w-]*):\s*)([^]+)$/.exec(text) ?? []
  if (value === '' || harmlessHeader.test(name) || /^\/\/|^\d{1,5}$/.test(value)) return []
  if (/^(?:set-)?cookie$/i.test(name) && value.includes('='))
    return [...value.matchAll(/([^=;\s]+=)([^;]+)/g)].map((m) => {
      const from = lead.length + m.index + (m[1] ?? '').length
      return { from, to: from + (m[2] ?? '').length, name: 'token' }
    })
  const from = lead.length + (authScheme.exec(value)?.[0].length ?? 0)
  return reference.test(text.slice(from)) || from >= text.length ? [] : [{ from, to: text.length, name: 'token' }]
}

/** Without a flag before it a header is known by its name. */
function bareHeader(text: string): SecretSpan[] {
  if (!text.includes(':')) return []
  const name = /^([A-Za-z][\w-]*):\s*\S/.exec(text)?.[1] ?? ''
  return /^x-/i.test(name) || isSecretWord(name) ? headerSecrets(text) : []
}

function jsonSecrets(text: string): SecretSpan[] {
  if (!text.includes('{')) return []
  return [...text.matchAll(/["']([\w.-]+)["']\s*:\s*(["'])((?:(?!\2)[^\\]|\\.)+)\2/g)].flatMap(
    ({ 0: whole, 1: name = '', 3: value = '', index }) => {
      const to = index + whole.length - 1
      return isSecretWord(name) && !reference.test(value) ? [{ from: to - value.length, to, name: 'token' }] : []
    },
  )
}

/** Userinfo up to the last @ before the path; else a password with a slash in it, which is no port. */
export const addressCredentials: readonly [RegExp, RegExp] = [
  /(\b[a-z][a-z0-9+.-]{0,32}:\/\/)((?:[^\s/"'`<>?#]|(?<=\w)'(?=[\w%])){1,4000})@/gi,
  /(\b[a-z][a-z0-9+.-]{0,32}:\/\/)([^\s/@:[\]"'`<>?#]{1,256}:(?!\d{0,5}[/?#\s]|[${])[^\s"'`<>@]{1,4000})@(?=[\w[])/gi,
]
/** One of these stands in what it finds something in. */
export const querySigns: readonly string[] = ['?', '&', ';']
export const queryValues = /([?&;]([\w.[\]-]{1,128})=)([^&;\s"'`#<>\\]+)/g

/** `?tavilyApiKey=`; not `?author=`, `?keyword=`. */
export const isSecretParameter = (name: string): boolean =>
  isSecretWord(name) ||
  /key(?!word|board|space)|token(?!s|iz)|secret|(?<!by|com|sur)pass(?!age|enger|ive|port|through)|pwd|signature|auth(?!or)|credential/i.test(
    withoutTokens(name),
  )

/** Of addresses: the password, values of the query, and what in the path is drawn by lot. */
function addressSecrets(text: string): SecretSpan[] {
  const spans: SecretSpan[] = []
  const isAddress = text.includes('://')
  for (const pattern of isAddress && text.includes('@') ? addressCredentials : [])
    for (const { 1: scheme = '', 2: who = '', index } of text.matchAll(pattern)) {
      const from = index + scheme.length + (who.includes(':') ? who.indexOf(':') + 1 : 0)
      const to = index + scheme.length + who.length
      if (to > from && !reference.test(text.slice(from, to)) && !(scheme.startsWith('ssh') && !who.includes(':')) && who !== 'git')
        spans.push({ from, to, name: 'token' })
    }
  for (const { 1: lead = '', 2: name = '', 3: value = '', index } of text.includes('=') ? text.matchAll(queryValues) : [])
    if (isSecretParameter(name) && !reference.test(value))
      spans.push({ from: index + lead.length, to: index + lead.length + value.length, name: 'token' })
  for (const { 0: address, index } of isAddress ? text.matchAll(/\bhttps?:\/\/[^\s"'`<>?#]+/gi) : [])
    for (const { 1: part = '', index: at } of address.matchAll(/\/([^/]+)/g))
      if (isDrawn(part)) spans.push({ from: index + at + 1, to: index + at + 1 + part.length, name: 'token' })
  return spans
}

/** A part of a path that nobody has made up: not a version, a word or a commit. */
const isDrawn = (part: string): boolean =>
  /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(part) ||
  (/^[\w=+%~-]{20,}$/.test(part) && /[A-Z]/.test(part) && /[a-z]/.test(part) && (part.match(/\d/g) ?? []).length >= 3)

// ---- command lines -------------------------------------------------------------------

interface ShellWord {
  text: string
  /** Where each of its characters stands in the line. */
  at: number[]
}
const isOperator = (word: string): boolean => /^(?:[;&|()]+|\n)$/.test(word)

function commandLineSecrets(line: string): SecretSpan[] {
  const words = shellWords(line)
  // What is one word in quotes, as in `"docker run …"`, is read as what it holds only by a shell.
  if (words.length === 1 && words[0]?.text === line) return []
  return argumentSecrets(words.map((w) => w.text)).flatMap((spans, i) =>
    spans.map(({ from, to, name }) => ({ from: words[i]?.at[from] ?? 0, to: (words[i]?.at[to - 1] ?? 0) + 1, name })),
  )
}

/** As sh would split it, except that nothing is expanded; a quote without an end goes to the end. */
function shellWords(line: string): ShellWord[] {
  const words: ShellWord[] = []
  let word: ShellWord | null = null
  let quote = ''
  for (let i = 0; i < line.length; i++) {
    const c = line[i] ?? ''
    const add = (text: string, at: number): void => {
      word ??= { text: '', at: [] }
      word.text += text
      word.at.push(at)
    }
    if (quote !== '') {
      if (c === quote) quote = ''
      else if (c === '\\' && quote === '"' && /["\\$`]/.test(line[i + 1] ?? '')) add(line[i + 1] ?? '', ++i)
      else add(c, i)
    } else if (c === '"' || c === "'") {
      quote = c
      word ??= { text: '', at: [] }
    } else if (c === '\\' && i + 1 < line.length) add(line[i + 1] ?? '', ++i)
    else if (
      /\s/.test(c) ||
      /[;|()]/.test(c) ||
      (c === '&' && (line[i + 1] === '&' || line[i - 1] === '&' || /\s/.test(line[i + 1] ?? ' ')))
    ) {
      if (word) words.push(word)
      word = null
      if (!/[^\S\n]/.test(c)) words.push({ text: c, at: [i] })
    } else add(c, i)
  }
  if (word) words.push(word)
  return words
}

const moved = (spans: readonly SecretSpan[], by: number): SecretSpan[] => spans.map((s) => ({ ...s, from: s.from + by, to: s.to + by }))

/** In order, and without overlaps: what two ways of reading find is one secret. */
export function united<T extends SecretSpan>(spans: readonly T[]): T[] {
  const result: T[] = []
  for (const span of [...spans].sort((a, b) => a.from - b.from || b.to - a.to)) {
    const last = result.at(-1)
    if (last && span.from < last.to) last.to = Math.max(last.to, span.to)
    else result.push({ ...span })
  }
  return result
}
