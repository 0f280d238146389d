export default {
  files: ['test/**/*.test.ts', '!test/real/**'],
  extensions: ['ts'],
  timeout: '2m',
  workerThreads: false,
  concurrency: 2,
}
