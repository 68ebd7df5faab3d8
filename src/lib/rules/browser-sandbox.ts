/** The browser's own sandbox is refused in the container. */
import { flagsNamed, flagValue, hasSwitch, type DockerRun } from '../formats/docker-run.ts'
import { citeEngine, citeLog } from './cite.ts'
import { effectiveRun, programSaid } from './helpers.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'browser-sandbox',
  severity: 'error',
  title: "The browser's own sandbox is refused in the container",
  only: 'failed',
  needs: ['config', 'serverLog'],
  uses: ['setup', 'image'],
  detect({ config, serverLog }, { setup, image }) {
    const said = programSaid(serverLog, 'browser-sandbox')
    const run = effectiveRun(config, setup)?.run
    if (!said || !run) return null
    const user = flagValue(run, 'user') ?? image?.inspect?.user ?? null
    const root = user !== null && /^(?:root|0)?(?::.*)?$/.test(user)
    const asRoot = /as root/i.test(said.text)
    const agrees = asRoot ? root : !namespacesAllowed(run)
    return {
      observations: [
        'serverLog',
        ...(agrees ? [asRoot && flagValue(run, 'user') === null ? ('image' as const) : ('config' as const)] : []),
      ],
      facts: { user },
      cites: [citeLog(said.line), ...(asRoot && root && image?.inspect ? [citeEngine('image', `${image.reference} runs as root`)] : [])],
      detail: asRoot
        ? 'Chromium refuses to start its sandbox as root, and the container runs as root.'
        : "Docker's default profile does not let the browser make the namespaces that its sandbox needs.",
      remedies: [
        {
          kind: 'instruction',
          title: `Add --security-opt seccomp=PROFILE with the profile of the browser's publisher${asRoot || root ? ' and --user with an ordinary user' : ''} to the docker arguments.`,
        },
        {
          kind: 'instruction',
          title: 'Or give the browser --no-sandbox: then only the container stands between a web page and the engine.',
        },
      ],
    }
  },
})

const namespacesAllowed = (run: DockerRun): boolean =>
  hasSwitch(run, 'privileged') ||
  flagsNamed(run, 'security-opt').some((f) => f.value?.startsWith('seccomp') === true) ||
  flagsNamed(run, 'cap-add').some((f) => /^(?:CAP_)?(?:SYS_ADMIN|ALL)$/i.test(f.value ?? ''))
