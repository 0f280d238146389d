import test from 'ava'
import { Command } from 'commander'
import { addPlanOptions, judgeOptionsOf, type PlanOptions } from '../../../cli/plan/options.ts'

function parsed(line: string): PlanOptions {
  const command = addPlanOptions(new Command()).exitOverride()
  return command.parse(line.split(' '), { from: 'user' }).opts()
}

test('left out, it is planned as kubectl applies: on the client side, without pruning', t => {
  t.deepEqual(judgeOptionsOf(parsed('-f a.yaml')), { delete: false })
})

test('the options of a GitOps engine', t => {
  const line =
    '-f - --server-side --force-conflicts --field-manager kustomize-controller --prune -l a=b --prune-allowlist core/v1/Namespace'
  t.deepEqual(judgeOptionsOf(parsed(line)), {
    delete: false,
    serverSide: { fieldManager: 'kustomize-controller', force: true },
    prune: { selector: 'a=b', allowlist: ['core/v1/Namespace'] },
  })
})

for (const [line, complaint] of [
  ['-n shop', /either by -f or by -k/],
  ['-f a -k b', /either by -f or by -k/],
  ['-f a --prune', /needs either --selector or --all/],
  ['-f a --prune --all -l x=y', /needs either --selector or --all/],
  ['-f a --prune --all --delete', /not with --delete/],
  ['-f a --all', /go with --prune/],
  ['-f a --force-conflicts', /goes with --server-side/],
] as const) {
  test(`options that contradict each other are refused: ${line}`, t => {
    t.throws(() => judgeOptionsOf(parsed(line)), { message: complaint })
  })
}
