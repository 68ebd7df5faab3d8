/**
 * A system that answers nothing more once a signal has asked for the end: neither what is open at that moment nor what is asked
 * later. Each such answer says that nobody looked, so that what is known so far can be put together at once. Files, which rarely
 * keep anybody waiting, are read for a moment more: often the cause is in a log that was to be read after the engine.
 */
import { Stop } from '../stop.ts'
import { notObserved, type Locations, type Observed, type OpenFile, type System } from './system.ts'

const filesMs = 500

/** What reading an open file throws then. */
export class LookInterrupted extends Error {
  override readonly name = 'LookInterrupted'
}

/** `stop.reason` is thrown where there is no answer that says "nobody looked". What is done to close the system is not ended. */
export function interruptible(system: System, stop: Stop): System {
  const notLooked = new Set<string>()
  const given = <T>(what: string): Observed<T> => {
    notLooked.add(what)
    return notObserved('interrupted', `Not looked at, because interrupted: ${what}.`)
  }
  const orElse = untilAborted(stop)
  const look = <T>(what: string, ask: () => Promise<Observed<T>>): Promise<Observed<T>> => orElse(ask, () => given<T>(what))
  const filesStop = new Stop()
  stop.whenAborted(() => void setTimeout(() => filesStop.abort(), filesMs).unref())
  const orElseFile = untilAborted(filesStop)
  const lookInto = <T>(what: string, ask: () => Promise<Observed<T>>): Promise<Observed<T>> => orElseFile(ask, () => given<T>(what))
  let located: Locations | null = null
  const thrown = (): never => {
    throw stop.reason as Error
  }
  const unstarted = (): never => {
    notLooked.add('what a replay shows')
    return thrown()
  }
  const { files, proxy, engine, replays } = system
  const [unpack, follow, logs] = [files.unpack?.bind(files), files.follow?.bind(files), engine.logs?.bind(engine)]
  const hello = engine.hello?.bind(engine)
  const opened = (file: OpenFile): OpenFile => {
    const { readNow } = file
    const check = (): void => {
      if (!filesStop.aborted) return
      notLooked.add(file.path)
      throw new LookInterrupted(`Not looked at to its end, because interrupted: ${file.path}.`)
    }
    return {
      ...file,
      read: (...args) => orElseFile(() => file.read(...args), check as () => never),
      ...(readNow && {
        readNow: (...args) => {
          check()
          return readNow(...args)
        },
      }),
    }
  }
  return {
    ...system,
    interruption: {
      get asked() {
        return stop.aborted
      },
      notLooked,
    },
    locations: async () => (located ??= await orElseFile(() => system.locations(), thrown)),
    environment: (options) => lookInto('the process of MCPProxy', () => system.environment(options)),
    files: {
      ...files,
      stat: (path) => lookInto('paths of this machine', () => files.stat(path)),
      read: (path, limit) => lookInto(path, () => files.read(path, limit)),
      open: async (path) => {
        const answer = await lookInto(path, () => files.open(path))
        return answer.ok && answer.value ? { ok: true, value: opened(answer.value) } : answer
      },
      list: (path) => lookInto(path, () => files.list(path)),
      ...(unpack && { unpack: (path) => lookInto(path, () => unpack(path)) }),
      ...(follow && { follow: (path) => lookInto(path, () => follow(path)) }),
    },
    proxy: {
      ...proxy,
      get: (path) => look('MCPProxy', () => proxy.get(path)),
      address: () =>
        orElse(
          () => proxy.address(),
          () => null,
        ),
    },
    engine: {
      endpoint: () =>
        orElse(
          () => engine.endpoint(),
          () => ({ host: null, decidedBy: 'interrupted', context: null, tls: false, problem: null }),
        ),
      version: () => look('the engine', () => engine.version()),
      ...(hello && { hello: () => look('the engine', hello) }),
      info: () => look('the engine', () => engine.info()),
      containers: () => look('the containers', () => engine.containers()),
      events: () => look("the engine's events", () => engine.events()),
      images: () => look('the images', () => engine.images()),
      networks: () => look('the networks', () => engine.networks()),
      image: (reference) => look(`image ${reference}`, () => engine.image(reference)),
      programs: (reference) => look(`the programs of image ${reference}`, () => engine.programs(reference)),
      inspect: (id) => look('the containers', () => engine.inspect(id)),
      ...(logs && { logs: (id, since) => look('the logs of the containers', () => logs(id, since)) }),
    },
    // The runner goes on removing what it started; `close` waits for it.
    replays: replays && {
      ...replays,
      run: (plan, options = {}) =>
        orElse(() => {
          const signal = options.signal ? AbortSignal.any([stop.signal, options.signal]) : stop.signal
          return replays.run(plan, { ...options, signal })
        }, unstarted),
      askRegistry: (reference, signal) => orElse(() => replays.askRegistry(reference, signal ?? stop.signal), thrown),
      pullImage: (reference, options = {}) =>
        orElse(() => replays.pullImage(reference, { ...options, signal: options.signal ?? stop.signal }), thrown),
    },
  }
}

/** Asks for an answer, and takes another one when the signal comes first or is there already. */
function untilAborted(stop: Stop): <T>(ask: () => Promise<T>, otherwise: () => T) => Promise<T> {
  const open = new Set<() => void>()
  stop.whenAborted(() => open.forEach((end) => end()))
  return async <T>(ask: () => Promise<T>, otherwise: () => T): Promise<T> => {
    if (stop.aborted) return otherwise()
    let end = (): void => undefined
    // Of its own: what waits beside one promise for all would be kept until that is settled.
    const ended = new Promise<void>((resolve) => open.add((end = resolve))).then(otherwise)
    try {
      return await Promise.race([ask(), ended])
    } finally {
      open.delete(end)
    }
  }
}
