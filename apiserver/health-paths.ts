/** Where it is told whether the server lives. */
export const healthPaths: readonly string[] = ['/healthz', '/livez', '/readyz']
