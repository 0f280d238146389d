// For tests that need root, Debian packages (.ci/packages) or Python's (.ci/python-packages). From the repository's root:
// npx ava --config test/real/ava.config.js
export default {
  files: ['test/real/**/*.test.ts'],
  extensions: ['ts'],
  timeout: '5m',
  workerThreads: false,
  // Guests run in software here: one file at a time leaves them the processors.
  concurrency: 1,
}
