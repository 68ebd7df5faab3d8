/** The docker command three times: as it ran by the log, as today's configuration leads to it, and as the container has it. */
import type { Subject } from '../evidence/evidence.ts'
import { maskedWords } from '../evidence/secrets.ts'
import { parseBytes, type DockerRun } from '../formats/docker-run.ts'
import type { System } from '../system/system.ts'

export interface ArgsRow {
  what: string
  /** Null: not there. Undefined: this side is not known. */
  log: string | null | undefined
  config: string | null | undefined
  container: string | null | undefined
}

type Side = Map<string, string>

/** Rows in which the sides differ; secrets are not among the values: of variables only the names are compared, of arguments what is no secret. */
export async function argsDiff(
  subject: Subject,
  system: System,
): Promise<{ rows: ArgsRow[]; known: { log: boolean; config: boolean; container: boolean } }> {
  const { config, setup, containers } = subject.evidence
  const logged = setup.ok ? setup.value : null
  const expected = config.ok ? (config.value.expected ?? null) : null
  const running = containers.ok ? containers.value.find((c) => c.relation !== 'other' && c.state === 'running') : undefined
  const inspected = running ? await system.engine.inspect(running.id) : null
  const log = logged ? sideOf(logged.run, [logged.containerCommand, ...logged.containerArgs]) : null
  const model = expected ? sideOf(expected.run, expected.command) : null
  const reference = log ?? model
  const container = inspected?.ok && inspected.value !== null && reference ? containerSide(inspected.value, reference) : null
  const keys = new Set([...(log?.keys() ?? []), ...(model?.keys() ?? []), ...(container?.keys() ?? [])])
  const rows = [...keys].map((what): ArgsRow => ({
    what,
    log: log ? (log.get(what) ?? null) : undefined,
    config: model ? (model.get(what) ?? null) : undefined,
    container: container ? (container.get(what) ?? (comparable.has(what) ? null : undefined)) : undefined,
  }))
  return { rows: rows.filter(differs), known: { log: log !== null, config: model !== null, container: container !== null } }
}

const differs = ({ log, config, container }: ArgsRow): boolean => new Set([log, config, container].filter((v) => v !== undefined)).size > 1

/** What MCPProxy makes anew for each start is no difference. */
export function sideOf(run: DockerRun, command: readonly string[]): Side {
  const side: Side = new Map()
  const add = (key: string, value: string): void => void side.set(key, side.has(key) ? `${side.get(key) ?? ''}, ${value}` : value)
  for (const flag of run.flags) {
    const value = flag.value ?? 'on'
    if (['name', 'label', 'cidfile'].includes(flag.name) && /^mcpproxy-|^com\.mcpproxy\.|mcpproxy-cid-/.test(value)) continue
    if (flag.name === 'env') add(`-e ${value.split('=')[0] ?? ''}`, 'set')
    else if (flag.name === 'volume') add(`-v ${value.split(':').slice(0, 2).join(':')}`, value)
    else add(`--${flag.name}`, value)
  }
  side.set('image', run.image ?? '')
  side.set('command', maskedWords(command).join(' '))
  return side
}

const comparable = new Set(['image', 'command', '--network', '--memory', '--cpus'])

/** The same of a container, in the spelling of the other side where both mean the same. */
function containerSide(inspect: unknown, reference: Side): Side {
  const side: Side = new Map()
  const of = (value: unknown, key: string): unknown =>
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined
  const [host, config] = [of(inspect, 'HostConfig'), of(inspect, 'Config')]
  const same = (key: string, means: (text: string) => boolean, otherwise: string): void => {
    const given = reference.get(key)
    side.set(key, given !== undefined && means(given) ? given : otherwise)
  }
  const word = (value: unknown): string => (typeof value === 'string' ? value : '')
  const image = word(of(config, 'Image'))
  same('image', (text) => text === image, image)
  const words = of(config, 'Cmd')
  if (Array.isArray(words)) side.set('command', maskedWords(words.map(String)).join(' '))
  const network = word(of(host, 'NetworkMode'))
  same('--network', (text) => text === network || (text === 'bridge' && network === 'default'), network)
  const memory = Number(of(host, 'Memory') ?? 0)
  if (memory > 0 || reference.has('--memory'))
    same('--memory', (text) => parseBytes(text) === memory, memory === 0 ? 'no limit' : `${memory} bytes`)
  const cpus = Number(of(host, 'NanoCpus') ?? 0) / 1e9
  if (cpus > 0 || reference.has('--cpus')) same('--cpus', (text) => Number(text) === cpus, cpus === 0 ? 'no limit' : String(cpus))
  const env = of(config, 'Env')
  const names = new Set((Array.isArray(env) ? env : []).map((e) => String(e).split('=')[0]))
  for (const key of reference.keys()) if (key.startsWith('-e ') && names.has(key.slice(3))) side.set(key, 'set')
  return side
}
