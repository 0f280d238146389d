import { area } from '../case.ts'

export const schema = area('schema', {})
