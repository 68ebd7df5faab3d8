/** MCPProxy's release numbers, and what changed when (facts found by searching its tags). */

export interface Version {
  major: number
  minor: number
  patch: number
  text: string
}

export function parseVersion(text: string | null | undefined): Version | null {
  const m = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text ?? '')
  return m ? { major: Number(m[1]), minor: Number(m[2]), patch: Number(m[3]), text: `v${m[1]}.${m[2]}.${m[3]}` } : null
}

/** The newest release that the model was checked against; taken when nothing tells the version. */
export const newestKnown: Version = { major: 0, minor: 60, patch: 0, text: 'v0.60.0' }

export function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch
}

const firstReleases = {
  containerNames: [0, 8, 3],
  logOptions: [0, 8, 2],
  restartApi: [0, 9, 0],
  labels: [0, 9, 24],
  ownDockerEnv: [0, 10, 11],
  triStateIsolation: [0, 13, 1],
  envReferences: [0, 21, 2],
  uvImages: [0, 24, 0],
  connectFloor: [0, 24, 0],
  restartReadsFile: [0, 33, 1],
  earlyExitNoticed: [0, 33, 2],
  exitText: [0, 38, 0],
  sanitisedLogNames: [0, 38, 0],
  logsInDataDir: [0, 39, 0],
  isolationMode: [0, 46, 0],
  initTimeout: [0, 46, 0],
  hotReload: [0, 52, 0],
  autoQuarantine: [0, 53, 0],
} as const
export type Milestone = keyof typeof firstReleases

/** The first release that has it, e.g. `v0.24.0`. */
export const firstRelease = (milestone: Milestone): string => `v${firstReleases[milestone].join('.')}`

export function since(version: Version, milestone: Milestone): boolean {
  // Asked for every token of every server: no iterators, no objects.
  const first = firstReleases[milestone]
  return (version.major - first[0] || version.minor - first[1] || version.patch - first[2]) >= 0
}
