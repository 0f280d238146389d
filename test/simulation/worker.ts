/** A process that runs the seeds it is told, one after the other. */

import { readOptions } from './options.ts'
import { planted } from './planted.ts'
import { resultOf } from './result.ts'

const options = readOptions()
// Without whoever gives it seeds nobody would hear of what it finds.
process.once('disconnect', () => process.exit())

process.on('message', async seed => {
  process.send?.(await resultOf(Number(seed), options, planted(options.planted)))
})
