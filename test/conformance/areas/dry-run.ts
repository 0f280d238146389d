import { area } from '../case.ts'

export const dryRun = area('dry-run', {})
