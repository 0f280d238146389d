import { area } from '../case.ts'

export const definitions = area('definitions', {})
