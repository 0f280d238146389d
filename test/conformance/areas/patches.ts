import { area } from '../case.ts'

export const patches = area('patches', {})
