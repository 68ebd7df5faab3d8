/**
 * Secrets that give themselves away by their form or by what stands before them in a text. One list, for what is shown and for
 * bundles.
 */
import {
  addressCredentials,
  isReference,
  isSecretParameter,
  isSecretWord,
  querySigns,
  queryValues,
  secretWordSigns,
  united,
  type SecretSpan,
} from './secret-arguments.ts'
import { isToken, mark, worthHiding } from './secret-worth.ts'

interface Sought {
  /** Made when it is first used: most never are. */
  pattern: () => RegExp
  /**
   * One of these stands in every text that the pattern finds something in, in small letters; null: any that is long enough may hold it. Most texts hold none,
   * and a pattern that never runs is never compiled, which takes longer than to look.
   */
  signs: readonly string[] | null
}

export interface SecretPattern extends Sought {
  kind: string
}

function once(make: () => RegExp): () => RegExp {
  let made: RegExp | undefined
  return () => (made ??= make())
}

/** `signs`: by default what `source` begins with. */
const shape = (kind: string, source: string, signs = [/^[\w-]*/.exec(source)?.[0].toLowerCase() ?? '']): SecretPattern => ({
  kind,
  pattern: once(() => new RegExp(`(?<![A-Za-z0-9])(?<secret>${source})`, 'g')),
  signs,
})
const b64 = 'A-Za-z0-9+/'
const shortestDrawn = 40
/** No token is shorter than that; what is found by something beside it has one of these signs. Most texts of a report are as short. */
const shortestShape = 12
const beside = /[\s=:@"']/

// Bounded everywhere: foreign text must not make the search slow.
const assignment = (sign: string): (() => RegExp) =>
  once(
    () =>
      new RegExp(
        `(?:^|[\\s"'\`({,;])(?:--?)?[\\w.-]{0,64}(?:api[_-]?key|access[_-]?key|token|secret(?!_[0-9a-f]{12})|passwo?r?d|passphrase|pwd|credential|private[_-]?key)[\\w-]{0,64}` +
          `(?:\\\\{0,8}["'])?\\s{0,4}${sign}\\s?(?:\\\\{0,8}["'])?(?<secret>[^\\s"'\`,;)}&\\\\\\]<>]{4,})`,
        'gi',
      ),
  )

const secretStems = ['key', 'token', 'secret', 'passw', 'passphrase', 'pwd', 'credential']

/**
 * For whole files, JSON among them: no pattern runs over a quote or a backslash, so that what stays is still JSON. `secret` is
 * the group that goes. The more particular first.
 */
export const secretPatterns: readonly SecretPattern[] = [
  {
    kind: 'private-key',
    pattern: () => /-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----(?<secret>(?:\\+[nr]|[^"\\-])+)(?=-----END|["\\-]|$)/g,
    signs: ['-----begin'],
  },
  { kind: 'age-key', pattern: () => /(?<secret>AGE-SECRET-KEY-1[A-Z0-9]{20,})/g, signs: ['age-secret'] },
  shape('github-token', 'gh[pousr]_[A-Za-z0-9]{20,}', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_']),
  shape('github-token', 'github_pat_[A-Za-z0-9_]{20,}'),
  shape('gitlab-token', 'gl(?:pat|dt|rt|cbt|ptt|soat)-[\\w-]{16,}', ['pat-', 'dt-', 'rt-', 'cbt-', 'ptt-', 'soat-']),
  shape('anthropic-key', 'sk-ant-[\\w-]{16,}'),
  shape('openai-key', 'sk-[\\w-]{16,}'),
  shape('slack-token', 'xox[abeoprs]-[\\w-]{10,}'),
  shape('slack-token', 'xapp-[\\w-]{10,}'),
  {
    kind: 'slack-webhook',
    pattern: () => /hooks\.slack\.com\/(?:services|workflows|triggers)\/(?<secret>[\w/-]{16,})/g,
    signs: ['hooks.slack'],
  },
  { kind: 'discord-webhook', pattern: () => /discord(?:app)?\.com\/api\/webhooks\/(?<secret>\d+\/[\w-]{16,})/g, signs: ['/webhooks/'] },
  shape('aws-key-id', '(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])', ['akia', 'asia', 'abia', 'acca']),
  shape('google-key', 'AIza[\\w-]{30,}'),
  shape('google-token', 'ya29\\.[\\w-]{20,}'),
  shape('google-token', 'GOCSPX-[\\w-]{16,}'),
  // The first part is looked ahead for and taken whole: no shorter one ends before a point, and none is tried.
  shape('jwt', 'eyJ(?=(?<header>[\\w-]{8,4000}))\\k<header>\\.[\\w-]{8,8000}\\.[\\w-]*'),
  shape('npm-token', 'npm_[A-Za-z0-9]{30,}'),
  shape('pypi-token', 'pypi-[\\w-]{16,}'),
  shape('huggingface-token', 'hf_[A-Za-z0-9]{20,}'),
  shape('stripe-key', '(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}', ['_live_', '_test_']),
  shape('stripe-key', 'whsec_[A-Za-z0-9+/=]{16,}'),
  shape('sendgrid-key', 'SG\\.[\\w-]{16,}\\.[\\w-]{16,}'),
  shape('twilio-key', 'SK[0-9a-f]{32}(?![0-9a-f])'),
  shape('mailgun-key', 'key-[0-9a-f]{32}(?![0-9a-f])'),
  shape('digitalocean-token', 'do[opr]_v1_[0-9a-f]{32,}', ['_v1_']),
  shape('telegram-token', '\\d{8,10}:AA[\\w-]{32,}', [':aa']),
  shape('discord-token', '[MNO][\\w-]{23,27}\\.[\\w-]{6}\\.[\\w-]{27,}', ['.']),
  shape('databricks-token', 'dapi[0-9a-f]{32}'),
  shape('linear-key', 'lin_(?:api|oauth)_[A-Za-z0-9]{20,}'),
  shape('notion-token', '(?:ntn|secret)_[A-Za-z0-9]{30,}', ['ntn_', 'secret_']),
  shape('figma-token', 'figd_[\\w-]{20,}'),
  shape('postman-key', 'PMAK-[0-9a-f]{20,}-[0-9a-f]{20,}'),
  shape('shopify-token', 'shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}'),
  shape('square-token', 'sq0(?:atp|csp|idp)-[\\w-]{20,}'),
  shape('grafana-token', 'gl(?:sa|c)_[A-Za-z0-9_=+/-]{20,}', ['glsa_', 'glc_']),
  shape('vault-token', 'hv[sbr]\\.[\\w-]{20,}'),
  shape('doppler-token', 'dp\\.(?:pt|st|ct|sa|scim|audit)\\.[\\w.-]{20,}'),
  shape('docker-token', 'dckr_(?:pat|oat)_[\\w-]{16,}'),
  shape('perplexity-key', 'pplx-[A-Za-z0-9]{20,}'),
  shape('groq-key', 'gsk_[A-Za-z0-9]{20,}'),
  shape('xai-key', 'xai-[A-Za-z0-9]{20,}'),
  shape('replicate-token', 'r8_[A-Za-z0-9]{20,}'),
  shape('tavily-key', 'tvly-[\\w-]{16,}'),
  shape('supabase-key', 'sb(?:p|_secret|_publishable)_[\\w-]{20,}'),
  shape('airtable-token', 'pat[A-Za-z0-9]{14}\\.[0-9a-f]{40,}'),
  shape('atlassian-token', 'AT(?:ATT|CTT|BB)[\\w=+/-]{20,}', ['atatt', 'atctt', 'atbb']),
  shape('mcpproxy-token', 'mcp_agt_[\\w-]{8,}'),
  shape('sentry-token', 'sntry[su]_[\\w+/=-]{20,}'),
  shape('tailscale-key', 'tskey-[a-z]{2,16}-[\\w-]{16,}'),
  shape('fly-token', 'fm(?:1[ar]|2)_[\\w+/=-]{20,}', ['fm1', 'fm2_']),
  shape('newrelic-key', 'NRAK-[A-Z0-9]{20,}'),
  shape('pinecone-key', 'pcsk_\\w{20,}'),
  shape('terraform-token', '[A-Za-z0-9]{14}\\.atlasv1\\.[\\w-]{40,}', ['.atlasv1.']),
  shape('pulumi-token', 'pul-[0-9a-f]{40}'),
  shape('rubygems-key', 'rubygems_[0-9a-f]{40,}'),
  shape('netlify-token', 'nf[pcoub]_[A-Za-z0-9]{32,}', ['nfp_', 'nfc_', 'nfo_', 'nfu_', 'nfb_']),
  shape('planetscale-token', 'pscale_(?:tkn|pw|oauth)_[\\w.-]{32,}'),
  shape('heroku-key', 'HRKU-[\\w-]{32,}'),
  shape('circleci-token', 'CCIP(?:AT|RJ)_\\w{20,}'),
  shape('azure-secret', '[\\w.~-]{3}[78]Q~[\\w.~-]{31,34}(?![\\w.~-])', ['7q~', '8q~']),
  shape('langsmith-key', 'lsv2_[a-z]{2}_\\w{32,}'),
  shape('neon-key', 'napi_[a-z0-9]{40,}'),
  shape('elevenlabs-key', 'sk_[0-9a-f]{40,}'),
  shape('1password-token', 'ops_eyJ[\\w+/=-]{40,}'),
  shape('dynatrace-token', 'dt0[cs]\\d{2}\\.[A-Z0-9]{8,}\\.[A-Z0-9]{40,}', ['dt0c', 'dt0s']),
  shape('google-token', '1//0[\\w-]{30,}', ['1//0']),
  shape('facebook-token', 'EAA[A-Za-z0-9]{60,}'),
  shape('apify-token', 'apify_(?:api|ui)_[A-Za-z0-9]{20,}'),
  shape('resend-key', 're_[A-Za-z0-9]{8}_[A-Za-z0-9]{24}(?![A-Za-z0-9])'),
  shape('firecrawl-key', 'fc-[0-9a-f]{32}(?![0-9a-f])'),
  shape('e2b-key', 'e2b_[0-9a-f]{32,}'),
  shape('context7-key', 'ctx7sk-[0-9a-f-]{20,}'),
  shape('buildkite-token', 'bk[a-z]{2}_[0-9a-f]{40}', ['bk']),
  shape('contentful-token', 'CFPAT-[\\w-]{32,}'),
  shape('mapbox-token', '[ps]k\\.eyJ[\\w-]{20,}\\.[\\w-]{16,}', ['pk.eyj', 'sk.eyj']),
  {
    kind: 'teams-webhook',
    pattern: () => /webhook\.office\.com\/webhookb2\/(?<secret>[\w@/-]{36,})/g,
    signs: ['/webhookb2/'],
  },
  { kind: 'bearer', pattern: () => /\b(?:Bearer|Basic|Token) (?<secret>[\w.~+/-]{8,}=*)/gi, signs: ['bearer ', 'basic ', 'token '] },
  {
    kind: 'url-credentials',
    pattern: () => /\b[a-z][a-z0-9+.-]{0,32}:\/\/(?<secret>[^\s/@"'\\`<>?#]{1,256}:[^\s/@"'\\`<>]{1,256})@/gi,
    signs: ['@'],
  },
  { kind: 'url-credentials', pattern: () => /\b[a-z][a-z0-9+.-]{0,32}:\/\/(?<secret>[^\s/@"':\\`<>?#]{8,256})@/gi, signs: ['@'] },
  {
    kind: 'connection-string',
    pattern: () => /\b(?:AccountKey|SharedAccessKey|Password|Pwd)=(?<secret>[^;"'\\\s]{4,})/gi,
    signs: ['key=', 'password=', 'pwd='],
  },
  { kind: 'assignment', pattern: assignment('='), signs: secretStems },
  { kind: 'statement', pattern: assignment(':'), signs: secretStems },
  { kind: 'cookie', pattern: () => /\b(?:Set-)?Cookie:\s*(?<secret>[^\s"'\\][^"'\\\r\n]{3,})/gi, signs: ['cookie:'] },
  // The line that a PEM block was broken into, an AWS secret key, and the like. What is only hexadecimal is the id of something.
  {
    kind: 'random',
    pattern: once(() => new RegExp(`(?<![\\w+/=@:.-])(?<secret>[${b64}_-]{${shortestDrawn},}={0,2})(?![\\w+/=-])`, 'g')),
    signs: null,
  },
]

/** `token: undefined`, `API_KEY=${env:X}`: words of a message, or a reference, not a value. */
const statement =
  /^(?:undefined|null|none|true|false|missing|required|invalid|unset|not|is|was|are|expired|string|str|must|environment|object|\(?unknown\)?|empty|error|found|from|set|and|for|the|with|file|path|variable)[.!]?$/i

export const isStatement = (value: string): boolean => statement.test(value)

/** What a pattern found, but is no secret. */
export function harmless(kind: string, value: string): boolean {
  if (statement.test(value) || /\*{3}|••|\$\{/.test(value) || isToken(value)) return true
  // `exec: "docker-credential-desktop": executable file not found`
  if (kind === 'statement' && /^[A-Za-z]+[.!]?$/.test(value)) return true
  if (kind === 'assignment' || kind === 'statement') return /^(?:\/|\.\/|~\/)|^\d{1,6}$|^[[{(]|^%[sdvq]|^https?:\/\//.test(value)
  if (kind === 'cookie') return !value.includes('=')
  if (kind === 'bearer') return /^[A-Z]?[a-z]+[.!]?$/.test(value)
  if (kind === 'random') return !isRandom(value)
  return false
}

/** Upper and lower case letters and digits in a disorder that words and paths do not have. */
function isRandom(value: string): boolean {
  if (/^[0-9a-f-]+$/i.test(value) || !/[a-z]/.test(value) || !/[A-Z]/.test(value) || (value.match(/\d/g) ?? []).length < 3) return false
  const counts = new Map<string, number>()
  for (const c of value) counts.set(c, (counts.get(c) ?? 0) + 1)
  let bits = 0
  for (const n of counts.values()) bits -= (n / value.length) * Math.log2(n / value.length)
  return bits > 4.2 && (value.match(/[/_-]/g) ?? []).length < value.length / 8
}

// ---- with what stands before it --------------------------------------------------------

interface Saying {
  pattern: () => RegExp
  signs: readonly (readonly string[])[]
}

/** As sh, JSON and people quote it. */
const quotedValue = `"(?:[^"\\\\\\n]|\\\\.)*"|'(?:[^'\\n]|'\\\\'')*'`
/** `signs` as above, of each list one: what ends in `secretWordSigns` is told by the name alone. */
export const sayings: Record<'variable' | 'attached' | 'flag' | 'header' | 'pair' | 'quoted', Saying> = {
  // -e NAME=x, also as two words in quotes.
  variable: {
    pattern: once(
      () =>
        new RegExp(
          `((?:^|[\\s"'\`[,(])(?:-[ditqP]*e|--env|--build-arg)(?:=|\\s+|["'],?\\s*)["']?([A-Za-z_][\\w.]*)=)(${quotedValue}|[^\\s"'\`,\\]]+)`,
          'g',
        ),
    ),
    signs: [['='], ['-']],
  },
  attached: {
    pattern: once(() => new RegExp(`((?:^|[\\s"'\`[,(])-[ditqP]*e([A-Z_][A-Z0-9_]*)=)(${quotedValue}|[^\\s"'\`,\\]]+)`, 'g')),
    signs: [['='], ['-']],
  },
  flag: {
    pattern: () => /((?:^|[\s"'`[,(])(--[A-Za-z][\w-]*)(?:=|\s+|["'],?\s+)["']?)([^\s"'`,;)\]-][^\s"'`,;)\]]*)/g,
    signs: [['--'], secretWordSigns],
  },
  header: {
    pattern: () =>
      /(\b((?:proxy-)?authorization|x-[\w-]+|cookie)["']?\s*:\s*["']?(?:(?:bearer|basic|token|digest|api-?key|key)\s+)?)([^\s"'`,;)]{4,})/gi,
    signs: [['authorization', 'x-', 'cookie']],
  },
  // NAME=x, with signs in it that end a value elsewhere.
  pair: {
    pattern: () => /((?:^|[\s"'`({,;[])(?:--?)?([A-Za-z_][\w.-]{0,64})=)([^\s"'`,;)\]}\\]{4,})/g,
    signs: [['='], secretWordSigns],
  },
  // NAME="a b", "name": "a b", --name='a b'
  quoted: {
    pattern: once(() => new RegExp(`((?:^|[\\s{,[(;"'\`])(?:--?)?([A-Za-z_][\\w.-]{0,64})["']?\\s{0,4}[=:]\\s{0,4})(${quotedValue})`, 'g')),
    signs: [['"', "'"], secretWordSigns],
  },
}

export interface TextSecret extends SecretSpan {
  kind: string
}

/** The spans of any text that hold a secret, in order and without overlaps. Quotes around a value are not part of it. */
export function textSecrets(text: string): TextSecret[] {
  const hasBeside = beside.test(text)
  if (text.length < shortestShape && !hasBeside) return []
  const found: TextSecret[] = []
  const add = (from: number, value: string, kind: string, name: string): void => {
    const quote = /^(["'])[^]*\1$/.test(value) ? 1 : 0
    if (value.length > 2 * quote) found.push({ from: from + quote, to: from + value.length - quote, name, kind })
  }
  const small = text.toLowerCase()
  const mayHold = (signs: readonly string[] | null): boolean => {
    if (signs === null) return text.length >= shortestDrawn
    for (const sign of signs) if (small.includes(sign)) return true
    return false
  }
  for (const { kind, pattern, signs } of secretPatterns) {
    if (!mayHold(signs)) continue
    for (const m of text.matchAll(pattern())) {
      const value = m.groups?.['secret'] ?? ''
      if (!harmless(kind, value)) add(m.index + m[0].lastIndexOf(value), value, kind, 'token')
    }
  }
  for (const pattern of small.includes('@') ? addressCredentials : [])
    for (const { 1: scheme = '', 2: who = '', index } of text.matchAll(pattern))
      if (!isKept(who)) add(index + scheme.length, who, 'url-credentials', 'token')
  const hasQuery = small.includes('=') && mayHold(querySigns)
  for (const { 1: before = '', 2: name = '', 3: value = '', index } of hasQuery ? text.matchAll(queryValues) : [])
    if (isSecretParameter(name) && !isKept(value)) add(index + before.length, value, 'query-value', 'token')
  const said = ({ pattern, signs }: Saying, kind: string, told: (name: string, value: string) => string | null): void => {
    if (!hasBeside || !signs.every(mayHold)) return
    for (const { 1: before = '', 2: name = '', 3: value = '', index } of text.matchAll(pattern())) {
      const as = told(name, value)
      if (as !== null && tells(value, as)) add(index + before.length, value, kind, as)
    }
  }
  said(sayings.variable, 'env', (name) => name)
  said(sayings.attached, 'env', (name) => name)
  said(sayings.flag, 'argument', (name, value) => (isSecretWord(name) && !/^[A-Za-z]{1,9}[.!:]?$/.test(value) ? 'token' : null))
  said(sayings.header, 'header', (name, value) => (/^[a-z]+[.!]?$/.test(value) ? null : isSecretWord(name) ? 'token' : name))
  said(sayings.pair, 'assignment', (name, value) => (isSecretWord(name) && !harmless('assignment', value) ? 'token' : null))
  said(sayings.quoted, 'named', (name) => (isSecretWord(name) && !/^(?:keys?|tokens|pass|sig)$/i.test(name) ? 'token' : null))
  return united(found)
}

const isKept = (value: string): boolean => value.includes(mark) || isToken(value) || isReference(value) || /^\$[{\w]/.test(value)

/** A value in a text, where words may follow the name of a flag as well. */
const tells = (value: string, name: string): boolean => {
  const bare = value.replace(/^["']|["']$/g, '')
  return !isKept(bare) && !/^VALUE$|^<.*>$/.test(bare) && !statement.test(bare) && worthHiding(bare, name)
}
