import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { Command } from 'commander'
import { defaultAuditPolicy } from '../../apiserver/audit/default-policy.ts'
import { addAuditOptions, auditOptionsOf, type GivenAuditOptions } from '../../cli/audit-options.ts'

function read(...flags: readonly string[]) {
  const command = addAuditOptions(new Command('up'))
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  return auditOptionsOf({
    ...command.parse(flags, { from: 'user' }).opts<Omit<GivenAuditOptions, 'home'>>(),
    home: '/home',
  })
}

test('by itself who wrote what is kept in the home, within bounds', t => {
  t.deepEqual(read(), {
    policy: defaultAuditPolicy,
    path: '/home/audit.log',
    maxSize: 50 * 1024 * 1024,
    maxAge: 30 * 24 * 3_600_000,
    maxBackups: 10,
  })
})

test('it can be left out, and be put elsewhere', t => {
  t.is(read('--no-audit'), undefined)
  t.like(read('--audit-log-path', '/var/log/audit.log', '--audit-log-maxage', '1', '--audit-log-maxsize', '1'), {
    path: '/var/log/audit.log',
    maxAge: 24 * 3_600_000,
    maxSize: 1024 * 1024,
  })
})

test('a policy comes from a file, and one that is none is named with what to mend', t => {
  const directory = mkdtempSync(join(tmpdir(), 'skystead-policy-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'policy.yaml')
  writeFileSync(file, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Request}]\n')
  t.is(read('--audit-policy-file', file)?.policy.rules[0]?.level, 'Request')
  writeFileSync(file, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: All}]\n')
  t.throws(() => read('--audit-policy-file', file), {
    message: `Cannot use the audit policy ${file}: rules[0].level must be one of None, Metadata, Request, RequestResponse`,
  })
  t.throws(() => read('--audit-policy-file', join(directory, 'none')), {
    message: /Cannot use the audit policy .*ENOENT/,
  })
})

test('numbers that are none are refused', t => {
  t.throws(() => read('--audit-log-maxage', 'x'), { message: /It must be a whole number/ })
  t.throws(() => read('--audit-log-maxsize', '0'), { message: /at least 1/ })
})
