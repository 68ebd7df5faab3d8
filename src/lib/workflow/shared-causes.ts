/** What several servers have in common is one finding: the engine that is down, or two names that kill each other. */
import { sortFindings, type ServerReport } from '../report/report.ts'
import type { Citation, Finding } from '../rules/rule.ts'

/**
 * Causes in the engine, in docker or in the file, which hit every server alike. Those in the words of a program are not among
 * them: two servers may have them for reasons of their own.
 */
const common: ReadonlySet<string> = new Set([
  'config-syntax',
  'config-shape',
  'config-encoding',
  'duplicate-name',
  'duplicate-keys',
  'docker-endpoint-invalid',
  'socket-permission',
  'wrong-engine',
  'engine-down',
  'engine-unresponsive',
  'docker-cli-missing',
  'snap-docker',
  'api-version',
  'cgroup-limits-missing',
  'log-driver-options',
  'proxy-in-container',
])
/** What a registry says of an image: of servers that run the same image it is the same cause. */
const ofImage: ReadonlySet<string> = new Set(['image-unknown', 'registry-unreachable', 'registry-login', 'pull-rate-limit'])
/** Findings about a pair; one of their facts names the other. */
const mutual: ReadonlySet<string> = new Set(['names-collide', 'duplicate-server', 'cleanup-by-image'])

const citesOfEach = 2

/**
 * The servers without the findings that they share, and these, each once, with the servers that it affects. What remains of a
 * server keeps its verdict; `shared` names the codes that were taken out.
 */
export function sharedCauses(servers: readonly ServerReport[]): { servers: ServerReport[]; findings: Finding[] } {
  const groups = [...sameCause(servers), ...pairs(servers)].filter((group) => group.length > 1)
  const taken = new Map(groups.flatMap((group) => group.map((member) => [member.finding, group])))
  return {
    servers: servers.map((s) => {
      const shared = s.findings.filter((f) => taken.has(f)).map((f) => f.code)
      return shared.length === 0 ? s : { ...s, shared, findings: s.findings.filter((f) => !taken.has(f)) }
    }),
    findings: sortFindings(groups.map(merged)),
  }
}

interface Member {
  server: string
  finding: Finding
}

const membersOf = (servers: readonly ServerReport[], codes: ReadonlySet<string>): Member[] =>
  servers.flatMap((s) => s.findings.filter((f) => codes.has(f.code)).map((finding) => ({ server: s.server, finding })))

function sameCause(servers: readonly ServerReport[]): Member[][] {
  const groups = new Map<string, Member[]>()
  for (const member of membersOf(servers, new Set([...common, ...ofImage]))) {
    const { code, severity, title, facts } = member.finding
    if (ofImage.has(code) && typeof facts['image'] !== 'string') continue
    const key = JSON.stringify([code, severity, title, facts])
    groups.set(key, [...(groups.get(key) ?? []), member])
  }
  return [...groups.values()]
}

/** Those that name each other, directly or through a third one. */
function pairs(servers: readonly ServerReport[]): Member[][] {
  const groups: { code: string; names: Set<string>; members: Member[] }[] = []
  for (const member of membersOf(servers, mutual)) {
    const { code, facts } = member.finding
    const names = new Set([member.server, ...[facts['with'], facts['other'], facts['by']].filter((n) => typeof n === 'string')])
    const touched = groups.filter((g) => g.code === code && [...names].some((n) => g.names.has(n)))
    for (const g of touched) groups.splice(groups.indexOf(g), 1)
    groups.push({
      code,
      names: new Set([...touched.flatMap((g) => [...g.names]), ...names]),
      members: [...touched.flatMap((g) => g.members), member],
    })
  }
  return groups.map((g) => g.members)
}

/** The surest of them speaks for all; of each of the first few others its places are shown too. */
function merged(group: readonly Member[]): Finding {
  const [best, ...others] = sortFindings(group.map((m) => m.finding))
  if (!best) throw new Error('a group of findings is never empty')
  const cites = [best, ...others].flatMap((f, i) =>
    i === 0 || mutual.has(f.code) ? f.cites.slice(0, i === 0 ? undefined : citesOfEach) : [],
  )
  const places = new Map<string, Citation>(cites.map((c) => [JSON.stringify(c), c]))
  // An edit is about the image of one of them.
  const remedies = ofImage.has(best.code) ? best.remedies.filter((r) => r.kind === 'instruction') : best.remedies
  return { ...best, remedies, server: null, affects: group.map((m) => m.server), cites: [...places.values()] }
}
