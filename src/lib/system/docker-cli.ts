/** The docker command itself, for the one thing that shows its progress better than the API: pulling an image. */
import { notObserved, observed, type Observed } from './system.ts'

/** `host`: as in DOCKER_HOST; null: as the command finds it. `onLine` gets what it says. */
export async function pullImage(image: string, host: string | null, onLine: (line: string) => void): Promise<Observed<string>> {
  const { execa } = await import('execa')
  const child = execa('docker', ['pull', image], {
    env: host === null ? {} : { DOCKER_HOST: host },
    all: true,
    reject: false,
    stdin: 'ignore',
  })
  let last = ''
  for await (const line of child.iterable({ from: 'all' })) {
    if (line.trim() === '') continue
    last = line.trim()
    onLine(last)
  }
  const { exitCode, failed, shortMessage } = await child
  return failed ? notObserved('failed', exitCode === undefined ? (shortMessage ?? 'docker could not be started') : last) : observed(last)
}
