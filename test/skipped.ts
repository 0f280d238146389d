import type { TestFn } from 'ava'

/** Registers one test that is skipped, and says in its title what this machine lacks for what it stands for. */
export function skipped<Context>(test: TestFn<Context>, what: string, missing: readonly string[]): void {
  test.skip(`${what} (needs ${missing.join(', ')})`, t => t.fail('a skipped test does not run'))
}
