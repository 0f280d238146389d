/** Damages a recorded log at places of each of its files that are equally far apart. */
import { DamagedLog, type RecordedRun } from './damage.ts'

/** What came of it. */
export interface DamageResult {
  readonly places: number
  readonly whole: number
  readonly refused: number
  /** Starts that told of less than was answered, or refused without a clear word, each as a line. */
  readonly wrong: readonly string[]
}

/** Cuts each file off, and flips a bit of it, at every place that `stride` divides. */
export function damageAll({ killed, closed, answered }: RecordedRun, stride: number): DamageResult {
  const counts = { whole: 0, refused: 0 }
  const wrong: string[] = []
  for (const [state, files] of Object.entries({ killed, closed })) {
    using log = new DamagedLog(files, answered)
    for (const [file, content] of files) {
      for (let offset = 0; offset < content.length; offset += stride) {
        for (const how of ['cut', 'flipped'] as const) {
          const { outcome, message } = log.start({ file, offset, how })
          if (outcome === 'wrong') wrong.push(`${state}: ${file} ${how} at ${offset}: ${message}`)
          else counts[outcome] += 1
        }
      }
    }
  }
  return { places: counts.whole + counts.refused + wrong.length, ...counts, wrong }
}
