/** The smoke test of a whole configuration: every server is started as MCPProxy would start it, without MCPProxy. */
import { collectServers, collectShared } from '../evidence/collect.ts'
import { configFor } from '../evidence/collect-config.ts'
import type { Subject } from '../evidence/evidence.ts'
import { UserError } from '../errors.ts'
import { flagValue, parseBytes, parseDockerRun } from '../formats/docker-run.ts'
import type { Version } from '../mcpproxy/versions.ts'
import type { InterruptedLook, ReplayRun } from '../report/report.ts'
import { withRun } from '../replay/run-evidence.ts'
import { specOf, type StartSpec } from '../replay/start-spec.ts'
import type { Finding } from '../rules/rule.ts'
import { notObserved, observed, type System } from '../system/system.ts'
import { interruptedLook, serverReport } from './check.ts'
import { redactValue, withVariables } from './redact.ts'
import { toRun } from './replay.ts'
import { requireServer } from './servers.ts'
import { createStarter, wasInterrupted, type Starter, type StarterOptions } from './start.ts'

export interface SmokeOptions extends StarterOptions {
  /** Empty: every enabled server that MCPProxy starts. */
  servers: string[]
  /** The release whose behaviour is tested; null: what runs or logged here, else the newest known. */
  version: Version | null
  /** At once, as far as the engine's memory goes. */
  jobs: number
  /** Milliseconds for one handshake. */
  limitMs: number
  /** Milliseconds for looking, before anything is started. */
  timeoutMs: number
  pull: boolean
  env: Readonly<Record<string, string | undefined>>
  progress?: (text: string) => void
}

export interface SmokeServer {
  server: string
  /** `not-tried`: nothing is known of it; `why` says what is missing. */
  result: 'pass' | 'fail' | 'not-tried'
  why: string
  run: ReplayRun | null
  /** Cause first. */
  findings: Finding[]
}

export interface SmokeReport {
  schemaVersion: 1
  config: string | null
  mcpproxyVersion: { value: string; assumed: boolean }
  checkedAt: string
  passed: number
  failed: number
  notTried: number
  /** A signal asked for the end; absent: none did. */
  interrupted?: InterruptedLook
  servers: SmokeServer[]
}

/** 0: all passed. 1: one failed. 3: none failed, and of some nothing is known. */
export const smokeExitCode = ({ failed, notTried, passed }: Pick<SmokeReport, 'failed' | 'notTried' | 'passed'>): 0 | 1 | 3 =>
  failed > 0 ? 1 : notTried > 0 || passed === 0 ? 3 : 0

export async function smokeTest(system: System, options: SmokeOptions): Promise<SmokeReport> {
  const shared = await collectShared(system, Date.now() + options.timeoutMs)
  if (!shared.config.ok) throw new UserError(`The configuration cannot be read: ${shared.config.error.message}`)
  const reading = shared.config.value
  for (const name of options.servers) requireServer(shared, name)
  const starter = await createStarter(system, options)
  if (!starter) throw new UserError('A capture cannot be started.', ['Leave out --from.'])
  const names =
    options.servers.length > 0 ? options.servers : reading.servers.filter((s) => s.enabled === true && s.name !== '').map((s) => s.name)
  const { subjects, version, redact } = await collectServers(shared, names)
  const tested = options.version ? { value: options.version, assumed: false } : version
  const memory = shared.engine.engine.ok ? (shared.engine.engine.value.info?.memoryBytes ?? null) : null
  const room = createRoom(options.jobs, memory)
  const strike = withVariables(redact, reading.document.text, options.env)
  const servers = await Promise.all(
    subjects.map(async (found) => {
      // What MCPProxy did here before says nothing about this configuration.
      const subject = onlyConfig({
        ...found,
        version: tested,
        evidence: { ...found.evidence, config: observed(configFor(reading, found.server, tested.value)) },
      })
      return redactValue(
        await testOne(subject, starter, room, { ...options, interrupted: () => system.interruption?.asked === true }),
        strike,
      )
    }),
  )
  const count = (result: SmokeServer['result']): number => servers.filter((s) => s.result === result).length
  return {
    schemaVersion: 1,
    config: shared.locations.config,
    mcpproxyVersion: { value: tested.value.text, assumed: tested.assumed },
    checkedAt: system.now().toISOString(),
    passed: count('pass'),
    failed: count('fail'),
    notTried: count('not-tried'),
    ...(system.interruption?.asked === true ? { interrupted: interruptedLook(system) } : {}),
    servers: servers.map((s, i) => ({ ...s, server: subjects[i]?.server ?? s.server })),
  }
}

function onlyConfig(subject: Subject): Subject {
  const none = notObserved('not-recorded', 'A smoke test looks at the configuration and at its own runs only.')
  return {
    ...subject,
    evidence: { ...subject.evidence, serverLog: none, mainLog: none, setup: observed(null), status: observed(null), events: none },
  }
}

async function testOne(
  subject: Subject,
  starter: Starter,
  room: Room,
  options: SmokeOptions & { interrupted: () => boolean },
): Promise<SmokeServer> {
  const { server, evidence } = subject
  const notTried = (why: string): SmokeServer => ({ server, result: 'not-tried', why, run: null, findings: [] })
  if (!evidence.config.ok) return notTried(evidence.config.error.message)
  const rebuilt = specOf(evidence.config.value, { logged: {}, env: options.env })
  if (!rebuilt.ok) return notTried(rebuilt.why)
  const image = rebuilt.spec.kind === 'docker' ? (evidence.config.value.expected?.run.image ?? null) : null
  if (image !== null && options.pull && evidence.image.ok && evidence.image.value?.inspect === null) {
    options.progress?.(`pulling ${image}`)
    if (options.interrupted()) return notTried(wasInterrupted)
    const pulled = await starter.pull(image, (line) => options.progress?.(`pulling ${image}: ${line}`))
    if (!pulled.ok) return notTried(`its image ${image} could not be pulled: ${pulled.message}`)
  }
  return room.with(memoryOf(rebuilt.spec), async () => {
    if (options.interrupted()) return notTried(wasInterrupted)
    options.progress?.(`starting ${server}`)
    const started = await starter.start(rebuilt.spec, options.limitMs)
    const run = toRun({ what: 'as configured', change: null, outcome: started.outcome }, started.run)
    if (started.outcome.result === 'works') {
      const { tools } = started.outcome
      return { server, result: 'pass', why: `${tools} tool${tools === 1 ? '' : 's'}`, run, findings: [] }
    }
    if (started.outcome.result === 'not-run' || started.outcome.result === 'disturbed' || !started.run) {
      const missing = started.run?.notRun === 'image-missing' && !options.pull
      return { ...notTried(`${run.says ?? 'it could not be started'}${missing ? ' --pull fetches it.' : ''}`), run }
    }
    const findings = serverReport(withRun(subject, started.run)).findings
    // The rules know what a start by MCPProxy leaves behind; what the conversation itself showed is known only here.
    const seen = started.run.outcome === 'protocol-broken' ? started.run.reason : null
    return {
      server,
      result: 'fail',
      why: seen ?? findings[0]?.title ?? run.says ?? 'no answer',
      run,
      findings: seen === null ? findings : [],
    }
  })
}

// ---- how many at once ---------------------------------------------------------------

interface Room {
  with<T>(bytes: number, work: () => Promise<T>): Promise<T>
}

/** What a server may take at most; without a limit it is counted as MCPProxy's default. */
function memoryOf(spec: StartSpec): number {
  const fallback = 512 * 1024 ** 2
  return spec.kind === 'docker' ? (parseBytes(flagValue(parseDockerRun(spec.runArgs), 'memory') ?? '') ?? fallback) : fallback
}

/** At most `jobs` at once, and together within most of the engine's memory; one always goes. */
function createRoom(jobs: number, memory: number | null): Room {
  const limit = memory === null ? Infinity : memory * 0.8
  let count = 0
  let used = 0
  const waiting: { bytes: number; enter: () => void }[] = []
  const admit = (): void => {
    for (;;) {
      const [next] = waiting
      if (!next || count >= jobs || (count > 0 && used + next.bytes > limit)) return
      waiting.shift()
      count++
      used += next.bytes
      next.enter()
    }
  }
  return {
    async with(bytes, work) {
      await new Promise<void>((enter) => {
        waiting.push({ bytes, enter })
        admit()
      })
      try {
        return await work()
      } finally {
        count--
        used -= bytes
        admit()
      }
    },
  }
}
