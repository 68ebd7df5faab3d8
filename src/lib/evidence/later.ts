/**
 * What is asked only when somebody wants to know it: of a server that works, most rules see from the logs and from MCPProxy that
 * there is nothing to explain. They get stand-ins, which say so when one of them is read all the same.
 */
import type { ProxyEnvironment } from '../system/system.ts'
import type { DockerEngine, Image, StandIns } from './evidence.ts'

/** Thrown where a rule reads what was not asked yet. */
export class NotAskedYet extends Error {
  override readonly name = 'NotAskedYet'
}

const unread = (): never => {
  throw new NotAskedYet()
}

/**
 * `known`: the engine as far as the answer to another question tells; null: nothing is known of it, not even that. `environment`: without
 * its programs; null: it could not be looked at.
 */
export const standIns = (known: DockerEngine | null, environment: ProxyEnvironment | null): StandIns => ({
  ...(environment && { environment: Object.defineProperty({ ...environment }, 'programs', { get: unread }) }),
  ...(known && { engine: Object.defineProperties({ ...known }, { info: { get: unread }, networks: { get: unread } }) }),
  image: new Proxy({} as Image, { get: unread, has: unread, ownKeys: unread }),
})
