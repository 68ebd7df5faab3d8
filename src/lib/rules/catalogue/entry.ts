/** What is told of a code, and the signs by which a text is recognised. The data of the catalogue has this shape. */
import type { DockerErrorKind } from '../../formats/docker-error.ts'
import type { ProgramErrorKind } from '../../formats/program-error.ts'
import type { Severity } from '../rule.ts'

/** Sign of a code in a text. Foreign texts are known to `formats/`; a sign names their kind there. */
export type Sign =
  | { docker: DockerErrorKind; subject?: RegExp }
  | { program: ProgramErrorKind; subject?: RegExp }
  /** Texts of MCPProxy and others that no parser reads: a lower-case substring of a line, or a pattern for a lower-case line. */
  | { text: string | RegExp }

export interface Entry {
  title: string
  severity: Severity
  /** What happens, and how it shows. */
  what: string
  /** What proves it. */
  proof: string
  /** What heals it. */
  fix: string
  /** What is often said of it and is wrong. */
  myth?: string
  /** Codes that look the same, and what decides between them. */
  confusedWith?: Record<string, string>
  /** What MCPProxy may call it. */
  mcpx?: readonly string[]
  /** Texts that are made for this code. */
  says?: readonly Sign[]
  /** Texts that this code is one of several explanations for. */
  mayMean?: readonly Sign[]
  /** Its own texts too have an explanation that is none of the codes: they are told as possible, never as the one thing. */
  neverAlone?: true
  /** Its vague texts count only where no text is clear. */
  lastResort?: true
  /** Lower-case substrings: with one of them in the text it is not this code. */
  unless?: readonly string[]
}

export type Entries = Readonly<Record<string, Entry>>

export const docker = (kind: DockerErrorKind, subject?: RegExp): Sign => (subject ? { docker: kind, subject } : { docker: kind })
export const program = (kind: ProgramErrorKind, subject?: RegExp): Sign => (subject ? { program: kind, subject } : { program: kind })
export const text = (words: string | RegExp): Sign => ({ text: words })

/** `exit status 137`, `exited with code 137`, `exitCode=137`. */
export const exited = (...codes: readonly number[]): Sign => ({
  text: new RegExp(`\\bexit(?:ed)?(?: with)?[ -]?(?:status|code)?[:=]? ?\\(?(?:${codes.join('|')})\\b`),
})
/** Nothing but that: whose permission is not said. */
export const denied: Sign = { text: /^(?:\w*error: )?permission denied\.?$/ }
/** docker itself refused, before any container started. */
export const refused = exited(125)

// MCPProxy's own codes (its diagnostics since v0.25), which many causes share.
export const early = 'MCPX_STDIO_EXIT_BEFORE_INITIALIZE'
export const late = 'MCPX_STDIO_HANDSHAKE_TIMEOUT'
export const invalid = 'MCPX_STDIO_HANDSHAKE_INVALID'
export const spawnMissing = 'MCPX_STDIO_SPAWN_ENOENT'
export const spawnDenied = 'MCPX_STDIO_SPAWN_EACCES'
export const execNotFound = 'MCPX_DOCKER_EXEC_NOT_FOUND'
export const cliNotFound = 'MCPX_DOCKER_CLI_NOT_FOUND'
export const daemonDown = 'MCPX_DOCKER_DAEMON_DOWN'
export const pullFailed = 'MCPX_DOCKER_IMAGE_PULL_FAILED'
export const ociRuntime = 'MCPX_DOCKER_OCI_RUNTIME'
export const configParse = 'MCPX_CONFIG_PARSE_ERROR'
