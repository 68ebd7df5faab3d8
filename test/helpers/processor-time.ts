/** Milliseconds that this process has computed since the function was made: other programs on the machine do not lengthen them. */
export function processorTime(): () => number {
  const begun = process.cpuUsage()
  return () => process.cpuUsage(begun).user / 1000
}
