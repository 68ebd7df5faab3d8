/** Something that ends work, as AbortController; its signal is made when somebody wants it, because the first one costs two milliseconds. */
export class Stop {
  #aborted = false
  #reason: unknown
  #controller: AbortController | null = null
  readonly #listeners: (() => void)[] = []

  get aborted(): boolean {
    return this.#aborted
  }

  get reason(): unknown {
    return this.#reason
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController()
      if (this.#aborted) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** `listener` is called once, before those of the signal, and never of an end that was before. */
  whenAborted(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** The first one counts. */
  abort(reason?: unknown): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#reason = reason
    for (const listener of this.#listeners) listener()
    this.#controller?.abort(reason)
  }
}

const longestTimer = 2 ** 31 - 1

/**
 * As `AbortSignal.timeout`, which Node 20 loses with a garbage collection where it is only a part of an `AbortSignal.any`: what
 * it limits would never end. The timer of this one holds it.
 */
export function timeLimit(ms: number, reason = (): Error => new DOMException('The time was used up.', 'TimeoutError')): AbortSignal {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(reason()), Math.min(ms, longestTimer))
  timer.unref()
  return controller.signal
}
