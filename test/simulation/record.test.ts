import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { Recording } from './record.ts'
import type { Result } from './result.ts'

const size = { seed: 1, minutes: 10, hosts: 3, classes: undefined }

function result(seed: number, fails = false): Result {
  const failure = { invariant: 'RunsTwice', message: 'told', atMinute: 3 }
  const outcome = { trace: '', minutes: 50, writes: 7, operations: { StartMachine: seed }, met: {} }
  return { seed, outcome: fails ? { ...outcome, failure } : outcome, processorSeconds: 1 }
}

function recorded(file: string) {
  return JSON.parse(readFileSync(file, 'utf8'))
}

test('a record holds seeds without a gap, and goes on where it ended', t => {
  const file = join(mkdtempSync(join(tmpdir(), 'record-')), 'simulation.json')
  const first = Recording.begin(size, file)
  for (const seed of [2, 1, 4]) first.note(result(seed))
  first.write()
  t.like(recorded(file), { total: { seeds: 2, virtualMinutes: 100, failedSeeds: [] } })
  t.is(first.nextSeed, 3)

  const second = Recording.resume(size, file)
  t.is(second.nextSeed, 3)
  for (const seed of [4, 3]) second.note(result(seed, seed === 4))
  second.write()
  t.is(recorded(file).runs.length, 1)
  t.like(recorded(file).runs[0].figures, { seeds: 4, failedSeeds: [4], operations: { StartMachine: 10 } })
})

test('seeds of another size are another run of the same record', t => {
  const file = join(mkdtempSync(join(tmpdir(), 'record-')), 'simulation.json')
  const first = Recording.begin(size, file)
  first.note(result(1))
  first.write()
  const second = Recording.resume({ ...size, hosts: 20 }, file)
  second.note(result(2))
  second.write()
  t.like(recorded(file), { total: { seeds: 2, virtualMinutes: 100 } })
  t.deepEqual(
    recorded(file).runs.map(({ firstSeed, hosts }: { firstSeed: number; hosts: number }) => [firstSeed, hosts]),
    [
      [1, 3],
      [2, 20],
    ],
  )
})
