/** What is being done, on standard error, while it is being done. */

export interface Progress {
  /** An empty text hides it until the next one, for a question. */
  update(text: string): void
  stop(): void
}

export interface ProgressFacts {
  env: Record<string, string | undefined>
  isTerminal: boolean
  quiet: boolean
  /** Colours and symbols of the theme of standard error. */
  level: number
  clean: (text: string) => string
}

const silent: Progress = { update: () => undefined, stop: () => undefined }

/** Shows only on a terminal, not with --json and not in CI. After two seconds it says for how long, after ten since when. */
export async function startProgress({ env, isTerminal, quiet, level, clean }: ProgressFacts): Promise<Progress> {
  if (!isTerminal || quiet || env['TERM'] === 'dumb' || (env['CI'] !== undefined && env['CI'] !== '' && env['CI'] !== 'false'))
    return silent
  const { default: ora } = await import('ora')
  // In colour or not at all: NO_COLOR is not known to ora.
  const spinner = ora({ stream: process.stderr, discardStdin: false, isEnabled: true, color: level > 0 ? 'cyan' : false })
  let text = 'looking'
  let since = new Date()
  const show = (): void => {
    const seconds = Math.floor((Date.now() - since.getTime()) / 1000)
    spinner.text = seconds >= 10 ? `${text}, since ${since.toTimeString().slice(0, 8)}` : seconds >= 2 ? `${text}, ${seconds} s` : text
  }
  const timer = setInterval(show, 1000)
  timer.unref()
  spinner.start(text)
  return {
    update(next) {
      if (next === '') return void spinner.stop()
      if (!spinner.isSpinning) spinner.start()
      text = clean(next)
      since = new Date()
      show()
    },
    stop() {
      clearInterval(timer)
      spinner.stop()
    },
  }
}
