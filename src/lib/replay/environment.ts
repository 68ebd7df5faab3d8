/** Which variables reach a server's process, and which of them change what the docker command itself does. */

/**
 * What MCPProxy hands on of its own environment (internal/secureenv/manager.go, v0.60.0). Proxy variables are not
 * among them: they are handed on only where `environment.forward_proxy_env` says so.
 */
const handedOn = new Set(
  (
    'PATH HOME TMPDIR TEMP TMP SHELL TERM LANG USER USERNAME USERPROFILE APPDATA LOCALAPPDATA PROGRAMFILES SYSTEMROOT COMSPEC ' +
    'XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME XDG_RUNTIME_DIR ' +
    'LC_ALL LC_CTYPE LC_NUMERIC LC_TIME LC_COLLATE LC_MONETARY LC_MESSAGES LC_PAPER LC_NAME LC_ADDRESS LC_TELEPHONE LC_MEASUREMENT LC_IDENTIFICATION ' +
    'DOCKER_HOST DOCKER_CONTEXT DOCKER_CONFIG DOCKER_CERT_PATH DOCKER_TLS_VERIFY NVM_DIR ASDF_DIR PYENV_ROOT VOLTA_HOME HOMEBREW_PREFIX COLIMA_HOME'
  ).split(' '),
)

export const inheritedByServers = (env: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((e): e is [string, string] => e[1] !== undefined && handedOn.has(e[0].toUpperCase())))

/** The docker command, the Go runtime below it or the system's loader looks at them: a container's value must not become its own. */
export const steersDocker = (name: string): boolean =>
  /^\w+$/.test(name) &&
  (/^(DOCKER_|LD_|DYLD_|GLIBC_|MALLOC_|SSH_|SSL_CERT_|XDG_|GODEBUG$|GOMAXPROCS$|GOMEMLIMIT$|GOGC$|GOTRACEBACK$|HOME$|USERPROFILE$|PATH$|PATHEXT$|TMPDIR$|TEMP$|TMP$|SYSTEMROOT$|COMSPEC$|SHELL$)/i.test(
    name,
  ) ||
    /^(https?|all|no|ftp)_proxy$/i.test(name))
