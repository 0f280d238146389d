import { area } from '../case.ts'

export const tables = area('tables', {})
