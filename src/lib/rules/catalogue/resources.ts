/** Memory, processors, processes. */
import { docker, early, late, ociRuntime, program, text, type Entries } from './entry.ts'

const exited = (code: number): RegExp =>
  new RegExp(`\\bexit(?:ed)?(?: with)?(?: status| code)?:? ?${code}\\b|\\bexitcode[=:]\\s*${code}\\b`)

export const resourceEntries: Entries = {
  'memory-limit-reached': {
    title: 'The container reaches its memory limit, and the kernel ends it',
    severity: 'error',
    what: "MCPProxy's default is 512 MB, which an installation or a browser exceeds. Usually nothing at all is printed; the exit code is 137, or the program's own when only a child was ended.",
    proof: 'An oom event stands before the end of the container. A replay with more memory answers and shows what it needs.',
    fix: 'Add "--memory", "1g" to isolation.extra_args of the server (of two the last counts), or raise docker_isolation.memory_limit. A memory_limit inside the server\'s isolation block is not read.',
    myth: '137 alone does not mean "out of memory": it is any SIGKILL, also of docker rm -f, docker kill or a stop that took too long. Only the oom event tells.',
    confusedWith: {
      'killed-from-outside': 'Is there an oom event before the end? Without one something else killed it.',
      'js-heap-limit': 'Node itself says that its heap is full, with 134 or 139 and no oom event.',
      'names-collide': 'In the same second the container of another server is created.',
    },
    mcpx: [early, late],
    says: [program('killed-child'), text(exited(137)), text('signal sigkill'), text('oomkilled'), text('oom-kill')],
  },
  'js-heap-limit': {
    title: 'Node gives up because its own heap is full',
    severity: 'error',
    what: "Node takes about half of the container's memory for its heap and ends itself when that is used up: exit code 134, or 139 as the first process.",
    proof: 'The heap text, and no oom event.',
    fix: 'More memory for the container ("--memory", "1g" in isolation.extra_args), or a larger heap: NODE_OPTIONS "--max-old-space-size=MB" in env.',
    confusedWith: { 'memory-limit-reached': 'Is there an oom event? Then the container reached its limit.' },
    mcpx: [early],
    says: [program('heap'), text(exited(134))],
    mayMean: [text(exited(139))],
  },
  'killed-from-outside': {
    title: 'Something else ended or removed the container',
    severity: 'error',
    what: 'A second MCPProxy on the same engine, which stops the containers of all instances when it ends; a cleanup job; a person. Exit code 137 or 143, and no word in the log.',
    proof:
      'Kill events without an oom event, and no stop by this MCPProxy in the same second; two owner numbers in the label com.mcpproxy.created mean a second MCPProxy.',
    fix: 'Find who did it. More memory does not help.',
    confusedWith: {
      'memory-limit-reached': 'Is there an oom event before the end?',
      'names-collide': 'Was the container of another server created in the same second?',
      'cleanup-by-image': 'Does main.log say that a matching container was killed at that moment?',
      'no-answer': 'Did this MCPProxy stop it because its time was over?',
    },
    mcpx: [early],
    mayMean: [text(exited(137)), text(exited(143)), text('signal sigterm'), program('killed-child')],
  },
  'limit-invalid': {
    title: 'docker refuses the memory or CPU limit',
    severity: 'error',
    what: 'The value is malformed ("512 megs"), too small, or more than the machine has. docker ends with 125 and there is no container.',
    proof: '`docker create` with the same arguments fails, with the corrected value it works.',
    fix: 'Write memory as "512m" or "2g", and at most as many CPUs as the engine has, in docker_isolation.memory_limit and cpu_limit or in extra_args.',
    mcpx: [early],
    says: [docker('memory-limit'), docker('cpu-limit')],
    mayMean: [
      text('range of cpus is from'),
      text('for "--cpus" flag'),
      text('for "-m, --memory" flag'),
      text('minimum memory limit allowed'),
    ],
  },
  'cgroup-limits-missing': {
    title: 'The engine cannot enforce the limits that MCPProxy sets',
    severity: 'error',
    what: 'A rootless engine, or an old cgroup layout, without the memory or cpu controller: starting with --memory or --cpus fails.',
    proof: 'docker info says that memory or CPU limits are not supported, or warns of missing controllers.',
    fix: 'Delegate the controllers to the user (Delegate= in systemd), or empty docker_isolation.memory_limit and cpu_limit, knowing that nothing is limited then.',
    myth: 'The warning that swap limits are not supported is harmless: the memory limit still works.',
    mcpx: [ociRuntime, early],
    says: [docker('cgroup-missing'), text('the requested cgroup controller'), text('opening file `cpu.max`')],
    unless: ['swap limit capabilities'],
  },
  'pids-limit-low': {
    title: '--pids-limit is too low for the threads of the server',
    severity: 'error',
    what: 'The runtime cannot create its threads and hangs or dies, often without a word.',
    proof: '--pids-limit stands in the arguments; without it the replay answers.',
    fix: 'Raise or remove --pids-limit in extra_args.',
    confusedWith: { 'no-answer': 'No --pids-limit is set.' },
    mcpx: [late],
    mayMean: [text('resource temporarily unavailable'), text('pthread_create'), text("can't start new thread"), text('eagain')],
  },
}
