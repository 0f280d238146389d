import test from 'ava'
import picocolors from 'picocolors'
import { exitCodeOf } from '../../../cli/plan/command.ts'
import { disruptionsOf } from '../../../cli/plan/disruptions.ts'
import type { Plan } from '../../../cli/plan/plan.ts'
import { planMarkdown } from '../../../cli/plan/plan-markdown.ts'
import { planLines } from '../../../cli/plan/plan-text.ts'
import type { PlannedOperation } from '../../../cli/plan/planned-operation.ts'
import { changeText } from '../../../cli/plan/wording.ts'

const web1 = { kind: 'VirtualMachine', namespace: 'shop', name: 'web-1' }

function operation(verb: PlannedOperation['verb'], parts: Partial<PlannedOperation> = {}): PlannedOperation {
  return {
    id: `i/${verb}/0`,
    verb,
    object: web1,
    identity: 'i',
    endpoint: { type: 'Host', name: 'host-1' },
    startsAfterMs: 0,
    durationMs: 100,
    changes: [],
    ...parts,
  }
}

const stop = operation('StopMachine', { changes: [{ path: 'powerState', before: 'Running', after: 'Off' }] })
const start = operation('StartMachine', { startsAfterMs: 900 })

function plan(parts: Partial<Plan> = {}): Plan {
  return {
    holdsFor: { installation: 'i', observedAt: '2026-11-20T17:00:00Z', resourceVersion: '7', silent: [] },
    changes: [],
    unchanged: 3,
    refused: [],
    operations: [],
    disruptions: [],
    consequences: [],
    claims: [],
    unmet: [],
    underWay: [],
    anyway: { consequences: [], claims: [] },
    expected: { milliseconds: 0, measured: [], modelled: [] },
    isWhole: true,
    ...parts,
  }
}

const plain = picocolors.createColors(false)

test('exit codes: 0 where nothing would change, 2 where something would, 1 where a manifest is refused', t => {
  t.is(exitCodeOf(plan()), 0)
  t.is(exitCodeOf(plan({ underWay: [stop] })), 0)
  t.is(exitCodeOf(plan({ operations: [stop] })), 2)
  t.is(exitCodeOf(plan({ changes: [{ object: web1, change: 'Create' }] })), 2)
  t.is(exitCodeOf(plan({ operations: [stop], refused: [{ object: web1, message: 'no', fields: [] }] })), 1)
})

test('a machine that runs, is stopped and started again restarts, for as long as it is away', t => {
  t.deepEqual(disruptionsOf([stop, start]), [{ object: web1, downtime: 'Restart', forMs: 1000 }])
  t.deepEqual(disruptionsOf([stop]), [{ object: web1, downtime: 'Stop' }])
})

test('nobody misses a machine that was off, or whose stop would fail', t => {
  const wasOff = operation('StopMachine', { changes: [{ path: 'powerState', before: 'Off', after: 'Off' }] })
  const fails = { ...stop, failure: { code: 'Unavailable', message: 'silent' } }
  t.deepEqual(disruptionsOf([wasOff, start]), [])
  t.deepEqual(disruptionsOf([fails]), [])
  t.deepEqual(disruptionsOf([start]), [])
})

test('a machine that is migrated pauses briefly', t => {
  const migrate = operation('MigrateMachine')
  t.deepEqual(disruptionsOf([migrate]), [{ object: web1, downtime: 'BriefPause' }])
})

test('the text says first what it comes to, and last what it holds for', t => {
  const operations = [stop, start]
  const lines = planLines(
    plan({
      changes: [{ object: web1, change: 'Change', fields: [{ path: 'spec.x', before: 1, after: 2 }] }],
      operations,
      disruptions: disruptionsOf(operations),
      expected: { milliseconds: 1000, measured: ['StopMachine'], modelled: ['StartMachine'] },
    }),
    plain,
  )
  t.is(lines[0], '1 to change, 3 unchanged; 2 operations')
  t.true(lines.includes('      spec.x: 1 → 2'))
  t.true(lines.includes('  ! VirtualMachine shop/web-1 restarts, away for about 1.0 s'))
  t.regex(lines.at(-2) ?? '', /^About 1\.0 s .* StopMachine as measured .* StartMachine as the simulator guesses\.$/)
  t.regex(lines.at(-1) ?? '', /^Holds for what was observed at 2026-11-20T17:00:00Z/)
})

test('what is pruned is told apart from what is deleted, and that pruning waits for the refused', t => {
  const pruned = plan({ changes: [{ object: web1, change: 'Delete', isPruned: true }] })
  t.regex(
    planLines(pruned, plain).join('\n'),
    /- VirtualMachine shop\/web-1 {2}\(pruned: it has no manifest any more\)/,
  )
  t.regex(planMarkdown(pruned), /- VirtualMachine shop\/web-1 {2}\(pruned/)
  const held = plan({ refused: [{ object: web1, message: 'no', fields: [] }], isPruningHeld: true })
  t.regex(planLines(held, plain).join('\n'), /Nothing is pruned as long as anything is refused/)
  t.regex(planMarkdown(held), /Nothing is pruned as long as anything is refused/)
})

test('what time does without the manifests is told apart from what they cause', t => {
  const holder = { kind: 'Network', namespace: 'shop', name: 'web' }
  const anyway = { consequences: [], claims: [{ change: 'Free', type: 'Segment', value: '5001', holder }] } as const
  const lines = planLines(plan({ anyway }), plain)
  const title = lines.indexOf('Done anyway, without these manifests')
  t.is(lines[title + 1], '  - Segment 5001 for Network shop/web')
  t.is(exitCodeOf(plan({ anyway })), 0)
  t.regex(planMarkdown(plan({ anyway })), /Made and removed anyway.*Free Segment 5001 for Network shop\/web/s)
})

test('identities inside of values are not shown: no person knows them', t => {
  const disk = { name: 'data', identity: 'cfd65e99-782b-45f4-a431-9091e9578427', path: '/dev/x' }
  const changes = [{ path: 'disks[data]', before: disk }]
  const lines = planLines(plan({ operations: [operation('DefineMachine', { changes })] }), plain)
  t.true(lines.join('\n').includes('disks[data]: name data, path /dev/x → none'))
})

test('items of lists are told by what people know them by, and never as JSON', t => {
  const dhcp = [{ macAddress: '02:00', hostName: 'web-1' }]
  t.is(changeText({ path: 'dhcp', after: dhcp }), 'dhcp: web-1')
  const rules = [{ identity: 'cfd65e99', protocol: 'TCP', publicPort: 80 }]
  t.is(changeText({ path: 'rules', after: rules }), 'rules: (protocol TCP, publicPort 80)')
})

test('what does not answer is named: what is there is not known', t => {
  const { holdsFor } = plan()
  const lines = planLines(plan({ holdsFor: { ...holdsFor, silent: ['Host host-9'] } }), plain)
  t.regex(lines.join('\n'), /do not answer, what is there now is not known: Host host-9/)
})

test('in Markdown nothing from a manifest is markup, mentions anybody, or ends a block', t => {
  const text = planMarkdown(
    plan({
      changes: [{ object: web1, change: 'Change', fields: [{ path: 'spec.x', after: '``` @everyone' }] }],
      operations: [{ ...stop, failure: { code: 'Internal', message: 'a | b @admin <img>' } }],
    }),
  )
  t.is(text.split('```').length, 3)
  t.false(text.includes('@admin'))
  t.false(text.includes('<img>'))
  t.true(text.includes('a \\| b'))
})

test('long tables are cut, and say so', t => {
  const text = planMarkdown(plan({ operations: Array.from({ length: 500 }, () => stop) }))
  t.true(text.length < 65_536)
  t.regex(text, /and 350 more/)
})
