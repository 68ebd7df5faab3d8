/** The program in the container is for another processor, or crashes under emulation. */
import { citeEngine, citeLog, citeStory } from './cite.ts'
import { isConnected } from './connected.ts'
import { dockerFailure, dockerSaid, endedByItself, programSaid, story } from './helpers.ts'
import { processor } from './platform-missing.ts'
import { isScript } from './not-executable.ts'
import { defineRule } from './rule.ts'

export default defineRule({
  code: 'foreign-architecture',
  severity: 'error',
  title: 'The program in the container is for another processor',
  needs: ['serverLog'],
  uses: ['image', 'engine', 'events'],
  detect({ serverLog }, { image, engine, events }) {
    if (isConnected(serverLog)) return null
    const format = dockerFailure(serverLog, 'exec-format')
    // The kernel says the same of a script without an interpreter line.
    const said = format && !isScript(format.subject) ? format : null
    const warned = dockerSaid(serverLog, 'platform-warning')
    const emulated = programSaid(serverLog, 'emulation')
    const [have, machine] = [image?.inspect?.architecture ?? null, engine?.info?.architecture ?? null]
    const differs = have !== null && machine !== null && processor(have) !== processor(machine)
    const foreign = differs || warned !== null
    const s = story(events)
    const crashed = foreign && endedByItself(s) && s?.exitCode === 139
    // A shell runs a script without an interpreter line itself; what it cannot run is a program.
    const shell = emulated?.subject != null && !isScript(emulated.subject)
    // That an image is emulated is no failure yet: something has to have broken.
    const line = said?.line ?? (foreign || shell || /qemu/i.test(emulated?.text ?? '') ? emulated?.line : undefined) ?? null
    if (!line && !crashed) return null
    return {
      observations: [
        ...(line ? (['serverLog'] as const) : []),
        ...(crashed ? (['events'] as const) : []),
        ...(differs ? (['image'] as const) : []),
      ],
      ...(said && foreign ? { proof: 'The kernel refuses the program, and the image is for another processor than the engine.' } : {}),
      facts: { program: said?.subject ?? emulated?.subject ?? null, image: have, engine: machine },
      cites: [
        ...(line ? [citeLog(line)] : []),
        ...(warned ? [citeLog(warned.line)] : []),
        ...(differs ? [citeEngine('image', `${image?.reference ?? 'The image'} is for ${have}, the engine is ${machine}`)] : []),
        ...(s ? [citeStory(s)] : []),
      ],
      detail: foreign
        ? `The image is for ${have ?? warned?.subject ?? 'another processor'}, the engine runs on ${machine ?? 'this one'}${said ? '' : ', under emulation, which does not bear every program'}.`
        : `${said?.subject ?? emulated?.subject ?? 'The program'} cannot be executed here: it was built for another processor, or it is a script without an interpreter line.`,
      remedies: [
        {
          kind: 'instruction',
          title: `Use an image or a program for ${machine ? processor(machine) : 'this processor'}, or install emulation.`,
        },
      ],
    }
  },
})
