import { area } from '../case.ts'

export const apply = area('apply', {})
