/** What working servers print too, however it sounds. Such lines are evidence of nothing. */

interface HarmlessText {
  /** A lower-case line that matches is harmless. */
  pattern: RegExp
  because: string
}

export const harmlessTexts: readonly HarmlessText[] = [
  // npm warn exec The following package was not found and will be installed: x@1.0.0
  {
    pattern: /^npm warn exec the following packages? (?:was|were) not found and will be installed/,
    because: 'npx says so before it installs. On a pipe it does not ask, with or without -y.',
  },
  // npm warn EBADENGINE   required: { node: '>=22' },
  {
    pattern: /^npm warn ebadengine\b/,
    because:
      'npm warns and goes on; servers that work print it too. Does an error follow, of npm (code EBADENGINE), of syntax or of a missing function? Then it is runtime-version.',
  },
  { pattern: /^npm (?:warn (?:deprecated|config|old lockfile|cleanup|tar_entry)|notice|fund)\b/, because: 'npm reports it and goes on.' },
  {
    pattern: /\((?:node|bun):\d+\)|\b(?:experimental|deprecation)warning\b|userwarning:|futurewarning:/,
    because: 'A warning of the runtime; the program goes on.',
  },
  {
    pattern: /does not support swap limit capabilities|swap limit capabilities.*memory limited without swap/,
    because: 'Only swap is not limited; the memory limit works.',
  },
  {
    pattern: /requested image's platform .* does not match the detected host platform/,
    because: 'The image runs under emulation. It is a cause only if the program then crashes (exec format error, exit code 139).',
  },
  {
    pattern:
      /(?:running|listening|started|starting|serving|ready).*\bstdio\b|\(stdio\) server|\bstdio\b.*(?:running|started|ready|server started)/,
    because: 'A greeting of a server that works over stdio.',
  },
  { pattern: /^(?:installed|prepared|resolved|downloaded|audited|built) \d+ packages? in /, because: 'The installer is done.' },
  { pattern: /^(?:downloading|building|using cpython|using python)\b/, because: 'The installer is at work.' },
  {
    pattern: /could not load dynamic library 'lib(?:cu|nv)/,
    because: 'A library for graphics cards, which computing goes on without.',
  },
  // Debugger listening on ws://127.0.0.1:9229/…
  {
    pattern: /^debugger (?:listening|attached)|^for help, see: https:\/\/nodejs\.org\//,
    because: 'The debugger of Node, not the server, listens there.',
  },
  { pattern: /failed to hardlink files; falling back to full copy/, because: 'uv copies instead, which is only slower.' },
  {
    pattern: /^(?:status: (?:downloaded newer image|image is up to date)|[0-9a-f]{12}: |digest: sha256:)/,
    because: 'docker has the image now.',
  },
  {
    pattern: /invalid encoding "?cl100k_base|initialize tokenizer/,
    because: 'MCPProxy counts tokens with a table that it could not download; servers do not need it.',
  },
  {
    pattern: /stderr read error.*file already closed|read \|\d+: file already closed/,
    because: 'MCPProxy has stopped the server and reads no more.',
  },
  {
    pattern: /\bexit(?:ed)?(?: with)?(?: status| code)?:? 0 errors|\b(?:0|no) errors?\b/,
    because: 'It counts errors, and there are none.',
  },
]
