/** The types of MCPProxy's configuration, and what does not fit them. */
import type { Node } from 'jsonc-parser'
import { isObject, lowerCaseTest, type Plain } from './config-fields.ts'
import { valueAt, valueBelow, type ConfigDocument, type ConfigPath, type ConfigProblem } from './config-tree.ts'

export type AddProblem = (
  kind: ConfigProblem['kind'],
  what: string,
  offset: number,
  length: number,
  message: string,
  at?: ConfigPath | null,
) => void

type Shape = 'string' | 'boolean' | 'number' | 'duration' | 'strings' | 'string-map' | 'object' | 'servers'
const isolationShape: Record<string, Shape> = {
  enabled: 'boolean',
  mode: 'string',
  image: 'string',
  network_mode: 'string',
  extra_args: 'strings',
  working_dir: 'string',
  log_driver: 'string',
  log_max_size: 'string',
  log_max_files: 'string',
}
const dockerIsolationShape: Record<string, Shape> = {
  enabled: 'boolean',
  mode: 'string',
  enable_cache_volume: 'boolean',
  default_images: 'string-map',
  registry: 'string',
  network_mode: 'string',
  memory_limit: 'string',
  cpu_limit: 'string',
  timeout: 'duration',
  extra_args: 'strings',
  log_driver: 'string',
  log_max_size: 'string',
  log_max_files: 'string',
}
const serverShape: Record<string, Shape> = {
  name: 'string',
  url: 'string',
  protocol: 'string',
  command: 'string',
  args: 'strings',
  working_dir: 'string',
  env: 'string-map',
  headers: 'string-map',
  oauth: 'object',
  enabled: 'boolean',
  quarantined: 'boolean',
  skip_quarantine: 'boolean',
  auto_approve_tool_changes: 'boolean',
  trust_mode: 'string',
  shared: 'boolean',
  created: 'string',
  updated: 'string',
  isolation: 'object',
  reconnect_on_use: 'boolean',
  expose_prompts: 'boolean',
  launcher_wait_timeout: 'duration',
  health_check_interval: 'duration',
  tool_discovery_interval: 'duration',
  init_timeout: 'duration',
  max_concurrent_requests: 'number',
  queue_size: 'number',
  queue_timeout: 'duration',
  toon_output: 'string',
  enabled_tools: 'strings',
  disabled_tools: 'strings',
  source_registry_id: 'string',
  source_registry_provenance: 'string',
  auth_broker: 'object',
}
const topShape: Record<string, Shape> = {
  listen: 'string',
  tray_endpoint: 'string',
  enable_socket: 'boolean',
  data_dir: 'string',
  debug_search: 'boolean',
  mcpServers: 'servers',
  tools_limit: 'number',
  tool_response_limit: 'number',
  call_tool_timeout: 'duration',
  init_timeout: 'duration',
  health_check_interval: 'duration',
  tool_discovery_interval: 'duration',
  logging: 'object',
  api_key: 'string',
  require_mcp_auth: 'boolean',
  read_only_mode: 'boolean',
  docker_isolation: 'object',
  docker_recovery: 'object',
  environment: 'object',
  quarantine_enabled: 'boolean',
  enable_prompts: 'boolean',
  routing_mode: 'string',
}

/** Keys that MCPProxy v0.60.0 knows, for "no such key" findings. */
export const knownKeys = {
  isolation: Object.keys(isolationShape),
  docker_isolation: Object.keys(dockerIsolationShape),
  server: Object.keys(serverShape),
}

// Go's time.ParseDuration: "300ms", "1.5h", "2h45m"; a bare "0" too.
const duration = /^[-+]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/

/** Types and values that MCPProxy refuses, and with them the whole file. */
export function addShapeProblems(document: ConfigDocument, problem: AddProblem): void {
  const root = document.root
  if (!root) return
  const wrong = (node: Node, path: ConfigPath, message: string): void =>
    problem('shape', 'wrong-type', node.offset, node.length, message, path)
  if (root.type !== 'object') return wrong(root, [], `The file holds ${article(root.type)}; MCPProxy takes an object.`)
  checkObject(root, topShape, [], wrong)
  checkObject(valueAt(document, ['docker_isolation']), dockerIsolationShape, ['docker_isolation'], wrong)
  const mode = valueAt(document, ['docker_isolation', 'mode'])
  if (mode?.type === 'string') checkMode(mode, ['docker_isolation', 'mode'], problem)
  const logging = valueAt(document, ['logging', 'level'])
  if (logging?.type === 'string' && !['', 'trace', 'debug', 'info', 'warn', 'error'].includes(String(logging.value))) {
    problem(
      'shape',
      'bad-value',
      logging.offset,
      logging.length,
      `"${String(logging.value)}" is no log level (trace, debug, info, warn, error).`,
      ['logging', 'level'],
    )
  }
  const servers = valueAt(document, ['mcpServers'])
  if (servers?.type !== 'array') return
  const names = new Map<string, number>()
  const isPlain = lowerCaseTest()
  servers.children?.forEach((entry, i) => {
    const value = document.entries?.[i]
    if (isPlain(value) && fitsAsServer(value, isPlain)) {
      const name = String(value['name'])
      if (!names.has(name)) return void names.set(name, i)
    }
    const path: ConfigPath = ['mcpServers', i]
    if (entry.type === 'null') return
    if (entry.type !== 'object') return wrong(entry, path, `A server is an object, not ${article(entry.type)}.`)
    checkObject(entry, serverShape, path, wrong)
    checkObject(valueBelow(entry, ['isolation']), isolationShape, [...path, 'isolation'], wrong)
    checkServerValues(entry, path, names, problem)
  })
}

/** Whether the checks of nodes below would find nothing in an entry, its name apart. In doubt they look. */
function fitsAsServer(value: Plain, isPlain: (value: unknown) => value is Plain): boolean {
  const { name, protocol, url, isolation } = value
  if (typeof name !== 'string' || name === '' || name.includes(':') || !fits(value, serverShape)) return false
  if (typeof protocol === 'string' && (!protocols.has(protocol) || (needUrl.has(protocol) && (typeof url !== 'string' || url === ''))))
    return false
  if (isolation === undefined || isolation === null) return true
  if (!isPlain(isolation) || !fits(isolation, isolationShape)) return false
  const { mode } = isolation
  return typeof mode !== 'string' || modes.has(mode)
}

function fits(object: Plain, shape: Record<string, Shape>): boolean {
  for (const key in object) {
    const value = object[key]
    const wanted = Object.hasOwn(shape, key) ? shape[key] : undefined
    if (wanted === undefined || value === null) continue
    if (wanted === 'string' || wanted === 'boolean' || wanted === 'number') {
      if (typeof value !== wanted) return false
    } else if (wanted === 'strings') {
      if (!Array.isArray(value) || !value.every((v) => typeof v === 'string' || v === null)) return false
    } else if (wanted === 'duration') {
      if (typeof value !== 'string' || !duration.test(value)) return false
    } else if (!isObject(value)) return false
    else if (wanted === 'string-map') for (const name in value) if (typeof value[name] !== 'string' && value[name] !== null) return false
  }
  return true
}

const protocols = new Set(['', 'stdio', 'http', 'sse', 'streamable-http', 'auto'])
const needUrl = new Set(['http', 'sse', 'streamable-http'])
const modes = new Set(['', 'docker', 'sandbox', 'none'])

function checkServerValues(entry: Node, path: ConfigPath, names: Map<string, number>, problem: AddProblem): void {
  const at = (key: string): Node | null => valueBelow(entry, [key])
  const text = (key: string): string => {
    const n = at(key)
    return n?.type === 'string' ? String(n.value) : ''
  }
  const bad = (key: string, message: string): void => {
    const node = at(key) ?? entry
    problem('shape', 'bad-value', node.offset, node === entry ? 1 : node.length, message, at(key) ? [...path, key] : path)
  }
  const name = text('name')
  if (name === '' && (!at('name') || at('name')?.type === 'string')) bad('name', 'A server without a name.')
  else if (name.includes(':')) bad('name', `The name "${name}" contains ":", which MCPProxy reserves.`)
  else if (name !== '' && names.has(name)) {
    const node = at('name') as Node
    problem('duplicate-name', 'duplicate-name', node.offset, node.length, `"${name}" is the name of an earlier server too.`, [
      ...path,
      'name',
    ])
  } else if (name !== '') names.set(name, Number(path[1]))
  const protocol = text('protocol')
  if (!protocols.has(protocol)) bad('protocol', `"${protocol}" is no protocol (stdio, http, sse, streamable-http, auto).`)
  if (needUrl.has(protocol) && text('url') === '') bad('url', `protocol "${protocol}" needs a url.`)
  const mode = valueBelow(entry, ['isolation', 'mode'])
  if (mode?.type === 'string') checkMode(mode, [...path, 'isolation', 'mode'], problem)
}

function checkMode(node: Node, path: ConfigPath, problem: AddProblem): void {
  if (!modes.has(String(node.value))) {
    problem('shape', 'bad-value', node.offset, node.length, `"${String(node.value)}" is no isolation mode (docker, sandbox, none).`, path)
  }
}

function checkObject(
  node: Node | null,
  shape: Record<string, Shape>,
  path: ConfigPath,
  wrong: (n: Node, p: ConfigPath, m: string) => void,
): void {
  if (!node || node.type === 'null') return
  if (node.type !== 'object') return
  for (const property of node.children ?? []) {
    const [key, value] = property.children ?? []
    if (!key || !value || value.type === 'null') continue
    const name = String(key.value)
    // The keys of all shapes are lower case.
    const known = Object.hasOwn(shape, name) ? name : name.toLowerCase()
    const wanted = Object.hasOwn(shape, known) ? shape[known] : undefined
    if (!wanted) continue
    const message = mismatch(value, wanted)
    if (message) wrong(value, [...path, name], `"${name}" ${message}`)
    else if (wanted === 'strings' || wanted === 'string-map') checkStrings(value, [...path, name], name, wrong)
  }
}

function checkStrings(value: Node, path: ConfigPath, name: string, wrong: (n: Node, p: ConfigPath, m: string) => void): void {
  value.children?.forEach((child, i) => {
    const item = value.type === 'object' ? child.children?.[1] : child
    const label = value.type === 'object' ? String(child.children?.[0]?.value) : i
    if (item && item.type !== 'string' && item.type !== 'null')
      wrong(
        item,
        [...path, label],
        `${value.type === 'object' ? `"${name}.${label}"` : `an entry of "${name}"`} must be a string, not ${article(item.type)}.`,
      )
  })
}

function mismatch(value: Node, wanted: Shape): string | null {
  const is = article(value.type)
  switch (wanted) {
    case 'servers':
      if (value.type === 'array') return null
      return value.type === 'object'
        ? 'must be an array of objects with a "name"; this is the object form of other MCP clients.'
        : `must be an array, not ${is}.`
    case 'strings':
      return value.type === 'array' ? null : `must be an array of strings, not ${is}.`
    case 'string-map':
    case 'object':
      return value.type === 'object' ? null : `must be an object, not ${is}.`
    case 'duration':
      if (value.type !== 'string') return `must be a duration in quotes such as "30s", not ${is}.`
      return duration.test(String(value.value)) ? null : `is no duration such as "30s" or "2m".`
    default:
      return value.type === wanted ? null : `must be ${article(wanted)}, not ${is}.`
  }
}

const article = (type: string): string => (type === 'null' ? 'null' : /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`)
