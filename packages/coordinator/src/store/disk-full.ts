/** Whether a file operation failed because the disk or the owner's quota has no room left. */
export function isDiskFull(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && (cause.code === "ENOSPC" || cause.code === "EDQUOT");
}
