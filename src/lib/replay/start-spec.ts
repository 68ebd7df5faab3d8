/** What a replay starts: rebuilt from the log or from a configuration, as MCPProxy would start it. */
import { configFor, configReading } from '../evidence/collect-config.ts'
import type { ConfigEvidence, Subject } from '../evidence/evidence.ts'
import { flagsNamed, parseDockerRun, type RunFlag } from '../formats/docker-run.ts'
import { parseConfig } from '../formats/mcp-config.ts'
import type { Version } from '../mcpproxy/versions.ts'
import { applyChange } from '../remedies/config-edit.ts'
import type { ConfigEdit, EditClass, Remedy } from '../remedies/remedy.ts'
import type { Finding } from '../rules/rule.ts'
import type { Candidate } from './experiment.ts'
import { signatureOf, type Signature } from './signature.ts'
import { field } from '../formats/log-line.ts'

export type StartSpec =
  /**
   * After the word docker: `runArgs` from `run` to the image, then what runs in the container. `env` is the server's, which
   * the docker command itself gets too. Holds secrets.
   */
  | { kind: 'docker'; runArgs: string[]; command: string[]; env: Record<string, string> }
  /** A program of this machine, in the environment that MCPProxy gives it. */
  | { kind: 'host'; command: string; args: string[]; cwd: string | null; env: Record<string, string> }

/** Values for `${env:NAME}` and `${keyring:NAME}`: those that MCPProxy logged with an argument list, and an environment. */
export interface KnownValues {
  /** By the name of the variable that the container gets. */
  logged: Readonly<Record<string, string>>
  env: Readonly<Record<string, string | undefined>>
}

export type Rebuilt = { ok: true; spec: StartSpec } | { ok: false; why: string }

/** The values of variables in the newest logged argument list. */
export function loggedValues({ setup }: Subject['evidence']): Record<string, string> {
  const values: Record<string, string> = {}
  if (!setup.ok || !setup.value) return values
  for (const flag of flagsNamed(setup.value.run, 'env')) {
    const at = flag.value?.indexOf('=') ?? -1
    if (flag.value && at > 0) values[flag.value.slice(0, at)] = flag.value.slice(at + 1)
  }
  return values
}

/** What ran last, by the log; else what today's configuration leads to. */
export function baselineOf(subject: Subject, values: KnownValues): Rebuilt & { from?: 'log' | 'config' } {
  const { config, setup } = subject.evidence
  const known = config.ok ? config.value : null
  const logged = setup.ok ? setup.value : null
  if (logged && known?.decision?.runs !== 'own-docker' && known?.decision?.runs !== 'host') {
    return {
      ok: true,
      from: 'log',
      spec: { kind: 'docker', runArgs: logged.runArgs, command: [logged.containerCommand, ...logged.containerArgs], env: {} },
    }
  }
  if (!known) return { ok: false, why: config.ok ? 'the configuration has no such server' : config.error.message }
  return { ...specOf(known, values), from: 'config' }
}

/** What a configuration leads to. */
export function specOf(config: ConfigEvidence, values: KnownValues): Rebuilt {
  const { server, decision, expected } = config
  if (!server || !decision) return { ok: false, why: 'the configuration has no such server' }
  const missing = new Set<string>()
  const fill = (text: string, name: string | null): string => resolve(text, name, values, missing)
  const done = (spec: StartSpec): Rebuilt =>
    missing.size > 0 ? { ok: false, why: `the value of ${[...missing].join(', ')} is not known here` } : { ok: true, spec }
  const env = Object.fromEntries(Object.entries(server.env).map(([name, value]) => [name, fill(value, name)]))
  if (expected) {
    if (expected.run.image === null) return done({ kind: 'docker', runArgs: expected.runArgs, command: [], env })
    const runArgs = expected.runArgs.map((token) => fill(token, /^([A-Za-z_]\w*)=/.exec(token)?.[1] ?? null))
    return done({ kind: 'docker', runArgs, command: expected.command.map((token) => fill(token, null)), env })
  }
  if (decision.runs !== 'host')
    return {
      ok: false,
      why:
        decision.runs === 'remote'
          ? 'a remote server: nothing is started'
          : `MCPProxy runs it in a ${decision.runs}, which a replay does not do`,
    }
  return done({
    kind: 'host',
    command: fill(server.command, null),
    args: server.args.map((a) => fill(a, null)),
    cwd: server.working_dir || null,
    env,
  })
}

/** `${env:NAME}` from the environment, else the logged value of the whole variable; what nobody knows goes to `missing`. */
function resolve(text: string, variable: string | null, values: KnownValues, missing: Set<string>): string {
  const reference = /\$\{(env|keyring):([^}]+)\}/g
  if (!reference.test(text)) return text
  const logged = variable === null ? undefined : values.logged[variable]
  if (logged !== undefined) return text.startsWith(`${variable}=`) ? `${variable}=${logged}` : logged
  return text.replace(reference, (whole, kind: string, name: string) => {
    const value = kind === 'env' ? values.env[name] : undefined
    if (value !== undefined) return value
    missing.add(whole)
    return whole
  })
}

export interface ReplayCandidate extends Candidate<StartSpec> {
  /** The configuration with the remedy in it; null for a restart. */
  text: string | null
}

/** The remedies of the findings as changes of what is started, in the order of the findings. */
export function candidatesOf(subject: Subject, findings: readonly Finding[], baseline: StartSpec, values: KnownValues): ReplayCandidate[] {
  const { config } = subject.evidence
  if (!config.ok) return []
  const asCandidate = (rebuilt: Rebuilt): { spec: StartSpec | null; why?: string } => {
    if (!rebuilt.ok) return { spec: null, why: rebuilt.why }
    return sameStart(rebuilt.spec, baseline) ? { spec: null, why: 'it changes nothing in what is started' } : { spec: rebuilt.spec }
  }
  const { document } = config.value
  return findings
    .filter((f) => f.severity === 'error')
    .flatMap((finding) =>
      finding.remedies.flatMap((remedy, index): ReplayCandidate[] => {
        const base = { code: finding.code, remedy: index, title: remedy.title }
        if (remedy.kind === 'reload') return [{ ...base, class: 'safe', text: null, ...asCandidate(specOf(config.value, values)) }]
        const change = changeOf(remedy)
        if (!change) return []
        const { edits, class: kind, title } = change
        const text = applyChange(document.text, { ...change, edits })
        if (text === null) return [{ ...base, title, class: kind, text, spec: null, why: 'the edit does not fit the file' }]
        return [{ ...base, title, class: kind, text, ...asCandidate(specOfText(text, subject.server, subject.version.value, values)) }]
      }),
    )
}

/** What of a remedy can be tried. */
function changeOf(remedy: Remedy | undefined): { title: string; edits: ConfigEdit[]; strict?: true; class: EditClass } | null {
  if (remedy?.kind === 'config-edit') return remedy
  return remedy?.kind === 'instruction' && remedy.trial ? { ...remedy.trial, class: 'safe' } : null
}

/** The same but for what MCPProxy makes anew for each start: name, labels, and the order of variables. */
export function sameStart(a: StartSpec, b: StartSpec): boolean {
  return JSON.stringify(comparable(a)) === JSON.stringify(comparable(b))
}

function comparable(spec: StartSpec): unknown {
  if (spec.kind === 'host') return spec
  const run = parseDockerRun(spec.runArgs)
  const own = (f: RunFlag): boolean => ['name', 'label', 'cidfile'].includes(f.name) && /^mcpproxy-|^com\.mcpproxy\./.test(f.value ?? '')
  const flags = run.flags.filter((f) => !own(f)).map((f) => [f.name, f.value ?? ''])
  const variables = flags
    .filter(([name]) => name === 'env')
    .map(([, value]) => value)
    .sort()
  return [run.globalFlags.map((f) => [f.name, f.value]), flags.filter(([name]) => name !== 'env'), variables, run.image, spec.command]
}

export function specOfText(text: string, server: string, version: Version, values: KnownValues): Rebuilt {
  const reading = configReading(parseConfig('', Buffer.from(text)), { trackedPath: null, otherPaths: [], mtimeMs: null })
  return specOf(configFor(reading, server, version), values)
}

/** Two remedies, one after the other, in one file; null where the second no longer fits. */
export function combined(
  subject: Subject,
  findings: readonly Finding[],
  first: ReplayCandidate,
  second: ReplayCandidate,
  values: KnownValues,
): StartSpec | null {
  const edit = changeOf(findings.find((f) => f.code === second.code)?.remedies[second.remedy])
  if (first.text === null || !edit) return null
  const text = applyChange(first.text, edit)
  if (text === null || text === first.text || text === second.text) return null
  const rebuilt = specOfText(text, subject.server, subject.version.value, values)
  return rebuilt.ok ? rebuilt.spec : null
}

/** The failure as MCPProxy's log and the engine's events have it; null when none is recorded. */
export function recordedSignature({ serverLog, events }: Subject['evidence']): Signature | null {
  const attempt = serverLog.ok ? serverLog.value.failed : null
  if (!attempt || attempt.outcome === 'refused') return null
  const stderr = attempt.stderr.map((l) => field(l, 'message') ?? l.message)
  const exitCode = events.ok ? (events.value.newest?.exitCode ?? null) : null
  return signatureOf(attempt.outcome === 'no-answer' ? 'no-answer' : 'ended', attempt.outcome === 'no-answer' ? null : exitCode, stderr)
}
