/** A process that runs the seeds it is told, one after the other. */

import { readOptions } from './options.ts'
import { planted } from './planted.ts'
import { resultOf } from './result.ts'

const options = readOptions()

process.on('message', async seed => {
  process.send?.(await resultOf(Number(seed), options, planted(options.planted)))
})
