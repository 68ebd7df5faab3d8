/** The list of rules: root causes first. Among equally sure findings the earlier one is the cause. */
import type { Rule } from './rule.ts'
import configSyntax from './config-syntax.ts'
import configShape from './config-shape.ts'
import configEncoding from './config-encoding.ts'
import duplicateName from './duplicate-name.ts'
import duplicateKeys from './duplicate-keys.ts'
import workingDirMissing from './working-dir-missing.ts'
import serverDisabled from './server-disabled.ts'
import serverQuarantined from './server-quarantined.ts'
import commandIncomplete from './command-incomplete.ts'
import commandLineInCommand from './command-line-in-command.ts'
import notRestarted from './not-restarted.ts'
import proxyInContainer from './proxy-in-container.ts'
import isolationModeIneffective from './isolation-mode-ineffective.ts'
import globalIsolationOff from './global-isolation-off.ts'
import dockerEndpointInvalid from './docker-endpoint-invalid.ts'
import socketPermission from './socket-permission.ts'
import wrongEngine from './wrong-engine.ts'
import engineDown from './engine-down.ts'
import dockerCliMissing from './docker-cli-missing.ts'
import dockerPluginMissing from './docker-plugin-missing.ts'
import hostCommandMissing from './host-command-missing.ts'
import snapDocker from './snap-docker.ts'
import apiVersion from './api-version.ts'
import ttyFlag from './tty-flag.ts'
import dockerArgsOrder from './docker-args-order.ts'
import dockerFlagInvalid from './docker-flag-invalid.ts'
import limitInvalid from './limit-invalid.ts'
import logDriverOptions from './log-driver-options.ts'
import networkRepeated from './network-repeated.ts'
import networkUnknown from './network-unknown.ts'
import containerNameTaken from './container-name-taken.ts'
import pathNotAbsolute from './path-not-absolute.ts'
import bindSourceWrong from './bind-source-wrong.ts'
import pathNotShared from './path-not-shared.ts'
import workingDirNotMounted from './working-dir-not-mounted.ts'
import cgroupLimitsMissing from './cgroup-limits-missing.ts'
import credentialHelperMissing from './credential-helper-missing.ts'
import platformMissing from './platform-missing.ts'
import registryPrefix from './registry-prefix.ts'
import registryLogin from './registry-login.ts'
import imageUnknown from './image-unknown.ts'
import registryUnreachable from './registry-unreachable.ts'
import pullRateLimit from './pull-rate-limit.ts'
import pullInHandshake from './pull-in-handshake.ts'
import tlsUntrusted from './tls-untrusted.ts'
import dockerInDocker from './docker-in-docker.ts'
import pipxBecomesPip from './pipx-becomes-pip.ts'
import unknownRunner from './unknown-runner.ts'
import entrypointArgs from './entrypoint-args.ts'
import foreignArchitecture from './foreign-architecture.ts'
import imageLacksProgram from './image-lacks-program.ts'
import notExecutable from './not-executable.ts'
import memoryLimitReached from './memory-limit-reached.ts'
import jsHeapLimit from './js-heap-limit.ts'
import pidsLimitLow from './pids-limit-low.ts'
import stdinClosed from './stdin-closed.ts'
import stdinLost from './stdin-lost.ts'
import placeholderUnresolved from './placeholder-unresolved.ts'
import envFlagWithoutValue from './env-flag-without-value.ts'
import envMissing from './env-missing.ts'
import hostPathNotMounted from './host-path-not-mounted.ts'
import networkNone from './network-none.ts'
import selinuxLabel from './selinux-label.ts'
import hostDockerInternal from './host-docker-internal.ts'
import localhostInContainer from './localhost-in-container.ts'
import hostLoopbackOnly from './host-loopback-only.ts'
import speaksHttp from './speaks-http.ts'
import hostHeaderRefused from './host-header-refused.ts'
import stdoutNoise from './stdout-noise.ts'
import protocolVersion from './protocol-version.ts'
import hostEnvNotPassed from './host-env-not-passed.ts'
import runtimeVersion from './runtime-version.ts'
import sdkMajorRelease from './sdk-major-release.ts'
import imageLacksTools from './image-lacks-tools.ts'
import cacheDamaged from './cache-damaged.ts'
import browserSandbox from './browser-sandbox.ts'
import browserProfileLocked from './browser-profile-locked.ts'
import hostPackagesMissing from './host-packages-missing.ts'
import packageUnknown from './package-unknown.ts'
import executableNameDiffers from './executable-name-differs.ts'
import packageIndexUnreachable from './package-index-unreachable.ts'
import containerDns from './container-dns.ts'
import cacheNotWritable from './cache-not-writable.ts'
import readOnlyFilesystem from './read-only-filesystem.ts'
import diskFull from './disk-full.ts'
import initHelperBroken from './init-helper-broken.ts'
import startTooSlow from './start-too-slow.ts'
import stdoutBuffered from './stdout-buffered.ts'
import startStampede from './start-stampede.ts'
import namesCollide from './names-collide.ts'
import cleanupByImage from './cleanup-by-image.ts'
import killedFromOutside from './killed-from-outside.ts'
import containerDeathUnnoticed from './container-death-unnoticed.ts'
import containerPaused from './container-paused.ts'
import engineUnresponsive from './engine-unresponsive.ts'
import latestMoved from './latest-moved.ts'
import orphanContainers from './orphan-containers.ts'
import dockerInPath from './docker-in-path.ts'
import memoryOvercommitted from './memory-overcommitted.ts'
import keyWithoutEffect from './key-without-effect.ts'
import staleDefaultImages from './stale-default-images.ts'
import modeWithoutEnabled from './mode-without-enabled.ts'
import isolationBlockDropped from './isolation-block-dropped.ts'
import duplicateServer from './duplicate-server.ts'
import configFileMismatch from './config-file-mismatch.ts'
import podmanEngine from './podman-engine.ts'
import clientTimeout from './client-timeout.ts'
import retryCapReached from './retry-cap-reached.ts'
import secretsInLog from './secrets-in-log.ts'
import noAnswer from './no-answer.ts'
import serverCrash from './server-crash.ts'

export const rules: readonly Rule[] = [
  configSyntax,
  configShape,
  configEncoding,
  duplicateName,
  duplicateKeys,
  workingDirMissing,
  serverDisabled,
  serverQuarantined,
  commandIncomplete,
  commandLineInCommand,
  notRestarted,
  proxyInContainer,
  isolationModeIneffective,
  globalIsolationOff,
  dockerEndpointInvalid,
  socketPermission,
  wrongEngine,
  engineDown,
  dockerCliMissing,
  dockerPluginMissing,
  hostCommandMissing,
  snapDocker,
  apiVersion,
  ttyFlag,
  dockerArgsOrder,
  dockerFlagInvalid,
  limitInvalid,
  logDriverOptions,
  networkRepeated,
  networkUnknown,
  containerNameTaken,
  pathNotAbsolute,
  bindSourceWrong,
  pathNotShared,
  workingDirNotMounted,
  cgroupLimitsMissing,
  credentialHelperMissing,
  platformMissing,
  registryPrefix,
  registryLogin,
  imageUnknown,
  registryUnreachable,
  pullRateLimit,
  pullInHandshake,
  tlsUntrusted,
  dockerInDocker,
  pipxBecomesPip,
  unknownRunner,
  entrypointArgs,
  foreignArchitecture,
  imageLacksProgram,
  notExecutable,
  memoryLimitReached,
  jsHeapLimit,
  pidsLimitLow,
  stdinClosed,
  stdinLost,
  placeholderUnresolved,
  envFlagWithoutValue,
  envMissing,
  hostPathNotMounted,
  networkNone,
  selinuxLabel,
  hostDockerInternal,
  localhostInContainer,
  hostLoopbackOnly,
  speaksHttp,
  hostHeaderRefused,
  stdoutNoise,
  protocolVersion,
  hostEnvNotPassed,
  runtimeVersion,
  sdkMajorRelease,
  imageLacksTools,
  cacheDamaged,
  browserSandbox,
  browserProfileLocked,
  hostPackagesMissing,
  packageUnknown,
  executableNameDiffers,
  packageIndexUnreachable,
  containerDns,
  cacheNotWritable,
  readOnlyFilesystem,
  diskFull,
  initHelperBroken,
  startTooSlow,
  stdoutBuffered,
  startStampede,
  namesCollide,
  cleanupByImage,
  killedFromOutside,
  containerDeathUnnoticed,
  containerPaused,
  engineUnresponsive,
  latestMoved,
  orphanContainers,
  dockerInPath,
  memoryOvercommitted,
  keyWithoutEffect,
  staleDefaultImages,
  modeWithoutEnabled,
  isolationBlockDropped,
  duplicateServer,
  configFileMismatch,
  podmanEngine,
  clientTimeout,
  retryCapReached,
  secretsInLog,
  noAnswer,
  serverCrash,
]
