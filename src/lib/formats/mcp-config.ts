/**
 * mcp_config.json as MCPProxy reads it: strict JSON by Go's encoding/json, keys in any case, the
 * last of two equal scalar keys wins, equal object keys merge (facts read from MCPProxy v0.7 to
 * v0.60). The reader here is more tolerant than MCPProxy, so that a broken file still tells as
 * much as it can; what MCPProxy would refuse is in `problems`, with its place.
 */
import { findNodeAtOffset, getNodePath, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser'
import { isObject, lowerCaseTest, NodeFields, PlainFields, type Fields } from './config-fields.ts'
import { outlineOf } from './config-outline.ts'
import { addShapeProblems, type AddProblem } from './config-shape.ts'
import { valueAt, type ConfigDocument, type ConfigPath, type ConfigProblem } from './config-tree.ts'
import { deepest, tooDeepAt } from './json-depth.ts'
import { parseStrict } from './strict-json.ts'

export { knownKeys } from './config-shape.ts'
export {
  keyAt,
  lineStarts,
  plain,
  pointer,
  position,
  positionIn,
  valueAt,
  type ConfigDocument,
  type ConfigPath,
  type ConfigProblem,
} from './config-tree.ts'

export interface IsolationBlock {
  /** All that the block has, as they are written. */
  keys: string[]
  enabled: boolean | null
  mode: string | null
  image: string
  network_mode: string
  extra_args: string[]
  working_dir: string
  log_driver: string
  log_max_size: string
  log_max_files: string
}

export interface GlobalConfig {
  listen: string
  api_key: string
  data_dir: string
  init_timeout: string
  docker_isolation: {
    present: boolean
    /** All that the block has, as they are written. */
    keys: string[]
    enabled: boolean
    mode: string
    /** Null: absent. MCPProxy's default is true since v0.24.0. */
    enable_cache_volume: boolean | null
    /** Only what the file says; MCPProxy merges it over its own map. */
    default_images: Record<string, string>
    registry: string | null
    network_mode: string | null
    memory_limit: string | null
    cpu_limit: string | null
    timeout: string | null
    extra_args: string[]
    log_driver: string | null
    log_max_size: string | null
    log_max_files: string | null
  }
  logging: { log_dir: string; json_format: boolean }
  tray_endpoint: string
  enable_socket: boolean
}

export interface ServerEntry {
  /** Its place in mcpServers; in the object form of other MCP clients, its key. */
  index: number | string
  /** All that the entry has, as they are written. */
  keys: string[]
  name: string
  /** Absent means false. Null: absent. */
  enabled: boolean | null
  quarantined: boolean | null
  protocol: string
  command: string
  args: string[]
  env: Record<string, string>
  headers: Record<string, string>
  url: string
  working_dir: string
  init_timeout: string
  isolation: IsolationBlock | null
}

/** A stdio server is one that MCPProxy starts as a program (facts A6). */
export function isStdio(server: ServerEntry): boolean {
  if (server.protocol === 'stdio') return true
  if (server.protocol === '' || server.protocol === 'auto') return server.command !== ''
  return false
}

export function parseConfig(path: string, bytes: Buffer): ConfigDocument {
  const problems: ConfigProblem[] = []
  const problem = (
    kind: ConfigProblem['kind'],
    what: string,
    offset: number,
    length: number,
    message: string,
    at: ConfigPath | null = null,
  ): void => {
    // The parser stumbles over one place twice.
    if (kind === 'syntax' && problems.some((p) => p.kind === kind && p.offset === offset)) return
    problems.push({ kind, what, offset, length, message, path: at })
  }
  let text = decode(bytes, problem)
  if (text.startsWith('\uFEFF')) {
    // Go: invalid character 'ï' looking for beginning of value
    problem('syntax', 'byte-order-mark', 0, 1, 'The file begins with a byte order mark, which MCPProxy refuses.')
    text = ` ${text.slice(1)}`
  }
  const document: ConfigDocument = { path, text, root: null, problems }
  if (text.trim() === '') return document // MCPProxy takes an empty file as all defaults.
  const outline = outlineOf(text, deepest)
  if (outline) Object.assign(document, { entries: outline.entries, lines: outline.lines })
  document.root = parseStrict(text, deepest, outline?.spans) ?? parseTolerant(text, problem)
  if (document.root) {
    if (!outline) addDuplicateKeys(document.root, '', problem)
    addShapeProblems(document, problem)
    for (const p of problems) if (p.kind === 'encoding') p.path = placeOf(document.root, p.offset)
  }
  problems.sort((a, b) => Number(b.kind === 'syntax') - Number(a.kind === 'syntax') || a.offset - b.offset)
  return document
}

/** What is not strict JSON, as far as it can be understood. */
function parseTolerant(text: string, problem: AddProblem): Node | null {
  const deep = tooDeepAt(text)
  if (deep !== null) {
    problem('syntax', 'too-deep', deep, 1, 'The brackets are nested too deep for a configuration.')
    return null
  }
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false, allowEmptyContent: true }) ?? null
  for (const error of errors) addSyntaxProblem(text, error, problem)
  return root
}

function placeOf(root: Node, offset: number): ConfigPath | null {
  const node = findNodeAtOffset(root, offset)
  return node ? getNodePath(node) : null
}

function decode(bytes: Buffer, problem: AddProblem): string {
  const order = utf16Order(bytes)
  if (order !== null) {
    problem('syntax', 'utf-16', 0, 1, 'The file is UTF-16; MCPProxy reads UTF-8 only.')
    // A last byte without its other half is dropped.
    const whole = bytes.subarray(0, bytes.length - (bytes.length % 2))
    return (order === 'little' ? whole : Buffer.from(whole).swap16()).toString('utf16le').replace(/^\uFEFF/, ' ')
  }
  const text = bytes.toString('utf8')
  if (bytes.includes(Buffer.from('\uFFFD'))) return text
  for (let bad = text.indexOf('\uFFFD'); bad >= 0; bad = text.indexOf('\uFFFD', bad + 1)) {
    // encoding/json replaces such bytes silently, so this is no refusal, but never what was meant.
    problem('encoding', 'not-utf-8', bad, 1, 'The file has bytes here that are not UTF-8.')
  }
  return text
}

/** By its mark, or without one by the zeros beside the first two characters, which are ASCII in all JSON (RFC 4627, 3). */
function utf16Order([a, b, c, d]: Buffer): 'little' | 'big' | null {
  if (a === 0xff && b === 0xfe) return 'little'
  if (a === 0xfe && b === 0xff) return 'big'
  if (a !== 0 && b === 0 && c !== 0 && d === 0) return 'little'
  return a === 0 && b !== 0 && c === 0 && d !== 0 ? 'big' : null
}

function addSyntaxProblem(text: string, error: ParseError, problem: AddProblem): void {
  const code = printParseErrorCode(error.error)
  const at = text[error.offset] ?? ''
  const add = (what: string, message: string): void => problem('syntax', what, error.offset, Math.max(1, error.length), message)
  if (code === 'InvalidCommentToken') return add('comment', 'A comment: MCPProxy reads strict JSON, which has none.')
  if (code === 'UnexpectedEndOfComment') return add('comment', 'A comment that does not end: MCPProxy reads strict JSON, which has none.')
  if ('\u201C\u201D\u2018\u2019\u00AB\u00BB'.includes(at) && at !== '')
    return add('smart-quote', `A typographic quotation mark (${at}) instead of ".`)
  if (at === "'") return add('single-quote', 'Single quotes (\') instead of double quotes (").')
  if (
    (code === 'PropertyNameExpected' || code === 'ValueExpected') &&
    (at === '}' || at === ']') &&
    text.slice(0, error.offset).trimEnd().endsWith(',')
  ) {
    return problem('syntax', 'trailing-comma', text.slice(0, error.offset).trimEnd().length - 1, 1, 'A comma with nothing after it.')
  }
  if (code === 'EndOfFileExpected') return add('text-after-end', 'Something stands after the end of the document.')
  if (error.offset >= text.trimEnd().length)
    return add('incomplete', 'The file ends too early: a bracket or a quotation mark is not closed.')
  if (code === 'CommaExpected') return add('missing-comma', 'A comma is missing before this place.')
  const wanted: Record<string, string> = {
    InvalidSymbol: 'not a JSON value',
    InvalidNumberFormat: 'not a JSON number',
    PropertyNameExpected: 'a property name in double quotes is expected here',
    ValueExpected: 'a value is expected here',
    ColonExpected: 'a colon is expected here',
    CloseBraceExpected: 'a closing } is expected here',
    CloseBracketExpected: 'a closing ] is expected here',
    UnexpectedEndOfString: 'a string that is not closed',
    InvalidUnicode: 'an invalid \\u escape',
    InvalidEscapeCharacter: 'an invalid escape (a backslash must be written \\\\)',
    InvalidCharacter: 'a control character inside a string',
  }
  return add(code, `Not valid JSON: ${wanted[code] ?? 'something unexpected'}.`)
}

/** `under`: the key that holds the node. */
function addDuplicateKeys(node: Node, under: string, problem: AddProblem): void {
  if (node.type === 'array') for (const child of node.children ?? []) addDuplicateKeys(child, '', problem)
  if (node.type !== 'object') return
  const seen = new Set<string>()
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? []
    if (!key) continue
    const name = String(key.value)
    if (seen.has(name) && under !== 'env' && under !== 'headers')
      problem('duplicate-key', 'duplicate-key', key.offset, key.length, `"${name}" stands twice in this object.`, [
        ...getNodePath(node),
        name,
      ])
    seen.add(name)
    if (value && (value.type === 'object' || value.type === 'array')) addDuplicateKeys(value, name, problem)
  }
}

export function globalConfig(d: ConfigDocument): GlobalConfig {
  const top = new NodeFields(d.root)
  const di = new NodeFields(d.root, ['docker_isolation'])
  const logging = new NodeFields(d.root, ['logging'])
  return {
    listen: top.text('listen') ?? '',
    api_key: top.text('api_key') ?? '',
    data_dir: top.text('data_dir') ?? '',
    init_timeout: top.text('init_timeout') ?? '',
    docker_isolation: {
      present: top.object('docker_isolation') !== null,
      keys: di.keys(),
      enabled: di.flag('enabled') ?? false,
      mode: di.text('mode') ?? '',
      enable_cache_volume: di.flag('enable_cache_volume'),
      default_images: di.map('default_images'),
      registry: di.text('registry'),
      network_mode: di.text('network_mode'),
      memory_limit: di.text('memory_limit'),
      cpu_limit: di.text('cpu_limit'),
      timeout: di.text('timeout'),
      extra_args: di.strings('extra_args'),
      log_driver: di.text('log_driver'),
      log_max_size: di.text('log_max_size'),
      log_max_files: di.text('log_max_files'),
    },
    logging: { log_dir: logging.text('log_dir') ?? '', json_format: logging.flag('json_format') ?? false },
    tray_endpoint: top.text('tray_endpoint') ?? '',
    enable_socket: top.flag('enable_socket') ?? true,
  }
}

/**
 * The servers of the file. The object form of other MCP clients, which MCPProxy refuses, is read
 * too, so that more than "wrong shape" can be said.
 */
export function serverEntries(d: ConfigDocument): ServerEntry[] {
  const list = valueAt(d, ['mcpServers'])
  if (list?.type === 'object') {
    return (list.children ?? []).flatMap((p) => {
      const [key, node] = p.children ?? []
      const name = String(key?.value)
      return node?.type === 'object' ? [serverEntry(new NodeFields(node), name, name)] : []
    })
  }
  if (list?.type !== 'array') return []
  const isPlain = lowerCaseTest()
  return (list.children ?? []).flatMap((node, index) => {
    if (node.type !== 'object') return []
    const value = d.entries?.[index]
    const fields =
      isPlain(value) && (!isObject(value['isolation']) || isPlain(value['isolation'])) ? new PlainFields(value) : new NodeFields(node)
    return [serverEntry(fields, index, fields.text('name') ?? '')]
  })
}

function serverEntry(fields: Fields, index: number | string, name: string): ServerEntry {
  const isolation = fields.object('isolation')
  return {
    index,
    keys: fields.keys(),
    name,
    enabled: fields.flag('enabled'),
    quarantined: fields.flag('quarantined'),
    protocol: fields.text('protocol') ?? '',
    command: fields.text('command') ?? '',
    args: fields.strings('args'),
    env: fields.map('env'),
    headers: fields.map('headers'),
    url: fields.text('url') ?? '',
    working_dir: fields.text('working_dir') ?? '',
    init_timeout: fields.text('init_timeout') ?? '',
    isolation: isolation && {
      keys: isolation.keys(),
      enabled: isolation.flag('enabled'),
      mode: isolation.text('mode'),
      image: isolation.text('image') ?? '',
      network_mode: isolation.text('network_mode') ?? '',
      extra_args: isolation.strings('extra_args'),
      working_dir: isolation.text('working_dir') ?? '',
      log_driver: isolation.text('log_driver') ?? '',
      log_max_size: isolation.text('log_max_size') ?? '',
      log_max_files: isolation.text('log_max_files') ?? '',
    },
  }
}

/** The variables that a configuration refers to as `${env:NAME}` and that have a value. A server that is started may write it. */
export function referredVariables(text: string, env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const names = [...text.matchAll(/\$\{env:([^}]+)\}/g)].map((m) => m[1] ?? '')
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
}
